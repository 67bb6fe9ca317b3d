package api

import (
	"context"
	"net/http"
	"net/netip"

	"parley/server/auth"
	"parley/shared/rest"
)

// visitor is who asks, as the guard found, and what an audit line needs.
type visitor struct {
	auth.Identity
	scope     auth.Scope // with right admin only
	network   bool       // is one that admins may come from
	remote    string
	from      netip.Addr // the same, invalid where it isn't certain
	host      string     // by which they came over this server's own HTTPS
	requestID string
	method    string
	path      string
	asked     map[string]string // the query, for the record of what was looked at
}

type visitorKey struct{}

func caller(ctx context.Context) visitor {
	v, _ := ctx.Value(visitorKey{}).(visitor)
	return v
}

// entry is an audit line about an act of the visitor's. It belongs to the
// organization that the visitor administers, until somebody knows better.
func (v visitor) entry(action rest.AuditAction, target string) rest.AuditEntry {
	return rest.AuditEntry{
		Actor: v.Subject, ActorOrg: v.Org, Org: v.scope.Org, Remote: v.remote,
		Action: action, Target: target, RequestID: v.requestID,
	}
}

// with gives the entry an organization and details.
func with(e rest.AuditEntry, org string, details map[string]any) rest.AuditEntry {
	if org != "" {
		e.Org = org
	}
	e.Details = details
	return e
}

// auditView is one look at people: the resource and the target, if it is one thing,
// whose they are, and what was in the answer.
type auditView struct {
	resource, target, org string
	rows                  int
	ids                   []string
	before                int // views that are in no line of their own
}

// recordView records a look before it is answered. Without the record there is no
// answer.
func (a *API) recordView(ctx context.Context, l auditView) error {
	v := caller(ctx)
	details := map[string]any{"resource": l.resource, "rows": l.rows}
	if l.before > 0 {
		details["before"] = l.before
	}
	if len(v.asked) > 0 {
		details["filters"] = v.asked
	}
	if len(l.ids) > 0 {
		details["ids"] = l.ids
	}
	return a.Audit.Record(ctx, with(v.entry(rest.AuditView, l.target), l.org, details))
}

// firstAndLast names rows that are in an order by the first and the last of them.
func firstAndLast[T any](rows []T, id func(T) string) []string {
	switch len(rows) {
	case 0:
		return nil
	case 1:
		return []string{id(rows[0])}
	}
	return []string{id(rows[0]), id(rows[len(rows)-1])}
}

// idsOf names every row: there are MaxLimit at most.
func idsOf[T any](rows []T, id func(T) string) []string {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = id(row)
	}
	return ids
}

func sentID(w http.ResponseWriter) string { return w.Header().Get(requestID) }
