package relay

// offerRefusal is an offer that isn't taken, and why, in one stable word for
// the log: the error below it may quote the offer.
type offerRefusal struct {
	reason string
	err    error // may be nil
}

func refuseOffer(reason string, err error) error { return &offerRefusal{reason, err} }

// Error implements error.
func (r *offerRefusal) Error() string {
	if r.err == nil {
		return ErrOffer.Error() + ": " + r.reason
	}
	return ErrOffer.Error() + ": " + r.reason + ": " + r.err.Error()
}

// Unwrap gives the kind, and what is below it.
func (r *offerRefusal) Unwrap() []error {
	if r.err == nil {
		return []error{ErrOffer}
	}
	return []error{ErrOffer, r.err}
}

// Reason says why the offer isn't taken.
func (r *offerRefusal) Reason() string { return r.reason }
