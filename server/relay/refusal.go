package relay

import (
	"fmt"

	"parley/shared/wire"
)

// offerRefusal is an offer that isn't taken, and why: in one stable word for the
// log, and in a sentence for the caller. Neither quotes the offer.
type offerRefusal struct {
	reason, detail string
}

func refuseOffer(reason, format string, args ...any) error {
	return &offerRefusal{reason, fmt.Sprintf(format, args...)}
}

// Error implements error.
func (r *offerRefusal) Error() string {
	return ErrOffer.Error() + ": " + r.reason + ": " + r.detail
}

// Unwrap returns the kind, and what the caller is told.
func (r *offerRefusal) Unwrap() []error {
	return []error{ErrOffer, wire.Error{Code: wire.ErrBadOffer, Field: "sdp", Reason: r.reason + ": " + r.detail}}
}

// Reason returns the word.
func (r *offerRefusal) Reason() string { return r.reason }
