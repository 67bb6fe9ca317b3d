package admin

import (
	"context"

	"parley/shared/rest"
)

// ErasePerson deletes what is kept about who, of one organization only if who.Org isn't
// empty: telemetry first, then the sessions together with the line that says what went.
// That it begins is on record before; broken off, it may be done again. Somebody who is
// in a call is refused with rest.CodeConflict: the call's end would be kept.
func (a *Admin) ErasePerson(ctx context.Context, who rest.PersonRef, reason string, by rest.AuditEntry) (done rest.Erased, err error) {
	if live := a.sessions.SnapshotsWhere(a.isMeant(rest.Revocation{UserKey: who.UserKey, Org: who.Org})); len(live) > 0 {
		return done, &rest.Problem{Code: rest.CodeConflict, Title: "They are in a call", Detail: "end the call, or revoke the user, and erase then"}
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
	return done, err
}
