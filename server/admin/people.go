package admin

import (
	"context"
	"errors"
	"strconv"
	"time"

	"parley/server/fault"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// RevokeUser refuses the tokens of who.UserKey: those issued before now or, where
// who.Block, all, until that is taken back. Their live sessions end. With who.Org
// it is done to what belongs to this organization, and to nobody who administers
// the server. who.User is shown, who.Reason kept. When it returns nil, all is on
// the disk.
func (a *Admin) RevokeUser(ctx context.Context, who rest.Revocation, by rest.AuditEntry) (rest.Revoked, error) {
	who.Since, who.By = time.Now().UTC(), a.mask.Person(by.Actor)
	who.User, who.Reason = a.mask.Person(who.User), a.mask.Text(who.Reason)
	by.Action, by.Reason = rest.AuditRevoke, who.Reason
	by.Details = map[string]any{"user": who.User, "block": who.Block}
	err := a.commit(ctx, by, func(tx Tx) (err error) {
		if err = a.endAll(tx, a.isMeant(who)); err == nil {
			who.ID, err = tx.PutRevocation(who)
		}
		return err
	})
	if err != nil {
		return rest.Revoked{}, err
	}
	a.tokens.PutRevocation(who)
	ended := a.sessions.EndWhere(a.isMeant(who), wire.Revoked, "")
	return rest.Revoked{ID: who.ID, Ended: ended, RefusedBefore: who.Since, Block: who.Block}, nil
}

// EndRevoked ends the live sessions that a revocation of another server is about, and
// returns how many.
func (a *Admin) EndRevoked(who rest.Revocation) int {
	return a.sessions.EndWhere(a.isMeant(who), wire.Revoked, "")
}

// isMeant tells the callers whom a revocation is about.
func (a *Admin) isMeant(who rest.Revocation) func(session.Caller) bool {
	return func(c session.Caller) bool {
		return (who.Org == "" || c.Org == who.Org && !c.ServerAdmin) && a.mask.UserKey(c.User) == who.UserKey
	}
}

// endAll keeps that live sessions end by a revocation.
func (a *Admin) endAll(tx Tx, meant func(session.Caller) bool) error {
	for _, live := range a.sessions.SnapshotsWhere(meant) {
		err := tx.EndSession(a.ended(live, wire.Revoked, ""))
		if err != nil && !errors.Is(err, fault.NotFound) { // one that has just ended by itself is no obstacle
			return err
		}
	}
	return nil
}

// RestoreUser takes a revocation back, of an organization only if org isn't
// empty: from the next request on, tokens are good again. fault.NotFound: there
// is none.
func (a *Admin) RestoreUser(ctx context.Context, id int64, org string, by rest.AuditEntry) error {
	by.Action, by.Target = rest.AuditRestore, strconv.FormatInt(id, 10)
	var was rest.Revocation
	err := a.commit(ctx, by, func(tx Tx) (err error) {
		was, err = tx.DeleteRevocation(id, org)
		return err
	})
	if err == nil {
		a.tokens.DeleteRevocation(was)
	}
	return err
}

// RevealPerson gives who holds a live session, unmasked, of one organization only
// if org isn't empty: once it is on record who asked, and why. fault.NotFound:
// there is no such session, or it has ended.
func (a *Admin) RevealPerson(ctx context.Context, id, org, reason string, by rest.AuditEntry) (rest.Person, error) {
	live, ok := a.sessions.Snapshot(id)
	if !ok || org != "" && live.Caller.Org != org {
		return rest.Person{}, fault.NotFound
	}
	by.Action, by.Target, by.Reason = rest.AuditReveal, id, a.mask.Text(reason)
	if live.Caller.Org != "" {
		by.Org = live.Caller.Org
	}
	if err := a.commit(ctx, by, func(Tx) error { return nil }); err != nil {
		return rest.Person{}, err
	}
	c := live.Caller
	return rest.Person{Subject: c.User, Name: c.Name, Phone: c.Phone, Email: c.Email, Remote: c.Remote, Org: c.Org}, nil
}
