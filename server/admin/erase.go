package admin

import (
	"context"
	"errors"

	"parley/server/fault"
	"parley/shared/rest"
)

// ErasePerson deletes what is kept about who, of one organization only if who.Org isn't
// empty: telemetry first, then the sessions together with the line that says what went.
// That it begins is on record before; broken off, it may be done again. Somebody who is
// in a call, on this node or another, is refused with rest.CodeConflict: the call's end
// would be kept.
func (a *Admin) ErasePerson(ctx context.Context, who rest.PersonRef, reason string, by rest.AuditEntry) (done rest.Erased, err error) {
	inCall := len(a.sessions.SnapshotsWhere(a.isMeant(rest.Revocation{UserKey: who.UserKey, Org: who.Org}))) > 0
	if !inCall {
		if inCall, err = a.telemetry.IsInCall(ctx, who); err != nil {
			return done, err
		}
	}
	if inCall {
		return done, errInCall()
	}
	by.Action, by.Reason = rest.AuditErase, a.mask.Text(reason)
	by.Details = map[string]any{"stage": "begun"}
	if err := a.commit(ctx, by, func(Tx) error { return nil }); err != nil {
		return done, err
	}
	if done, err = a.telemetry.ErasePerson(ctx, who); err != nil {
		return done, err
	}
	by.Details = map[string]any{"stage": "finished", "sessions": done.Sessions, "logs": done.Logs, "quality": done.Quality, "turns": done.Turns, "activities": done.Activities}
	err = a.commit(ctx, by, func(tx Tx) error {
		kept, err := tx.ErasePerson(who)
		done.Sessions, done.Usage = kept.Sessions, kept.Usage
		return err
	})
	if errors.Is(err, fault.Conflict) { // they called meanwhile
		err = errInCall()
	}
	return done, err
}

func errInCall() error {
	return &rest.Problem{Code: rest.CodeConflict, Title: "They are in a call", Detail: "end the call, or revoke the user, and erase then"}
}
