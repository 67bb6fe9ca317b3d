package auth

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"parley/shared/rest"
)

// Mode says who a server is for. A server has one, told by no request.
type Mode string

// The modes.
const (
	Production   Mode = "production"   // admins are those of Config.Admins
	Demo         Mode = "demo"         // the only admin is DemoAdmin
	Organization Mode = "organization" // Config.Admins, and each organization's own
)

// DemoAdmin is the subject of the only admin of a demo server.
const DemoAdmin = "demo-admin"

// RoleOrgAdmin is the role that administers the token's own organization, on a
// server of mode Organization and nowhere else; RoleOrgAuditor sees as much there, and
// changes nothing.
const (
	RoleOrgAdmin   = "org_admin"
	RoleOrgAuditor = "org_auditor"
)

// Scope is what an admin administers, or an auditor looks at. The zero Scope covers
// nothing.
type Scope struct {
	All      bool
	Org      string // the one organization, unless All
	ReadOnly bool   // an auditor's: to look at, not to change
}

// Covers tells whether something of org is within s. What belongs to no
// organization is covered by All alone.
func (s Scope) Covers(org string) bool {
	return s.All || s.Org != "" && s.Org == org
}

// Scope looks up what id administers: everything, one organization, or (false)
// nothing. The answer is of this moment; ask on every request.
func (a *Auth) Scope(id Identity) (Scope, bool) {
	switch {
	case !a.isServerMode(id.Mode):
		return Scope{}, false
	case a.mode == Demo:
		all := id.Subject == DemoAdmin && id.Local // an issuer's users may choose their names
		return Scope{All: all}, all
	case a.mode == Organization && !validOrg(id.Org):
		return Scope{}, false
	case isListed(id, a.admins) || isMember(id, a.adminGroups.all):
		return Scope{All: true}, true
	case isListed(id, a.auditors) || isMember(id, a.auditorGroups.all): // whatever their token's role would change
		return Scope{All: true, ReadOnly: true}, true
	case a.mode == Organization && (id.Role == RoleOrgAdmin || isMember(id, a.adminGroups.org)):
		return Scope{Org: id.Org}, true
	case a.mode == Organization && (id.Role == RoleOrgAuditor || isMember(id, a.auditorGroups.org)):
		return Scope{Org: id.Org, ReadOnly: true}, true
	}
	return Scope{}, false
}

// AdminProblem is why whoever sent a request may see no admin page, "" for who may: the
// answer of the interface, by the same rules in the same order.
func (a *Auth) AdminProblem(r *http.Request) rest.ProblemCode {
	id, err := a.Authenticate(r)
	switch {
	case err != nil:
		return rest.CodeUnauthorized
	case !a.AdminAllowed(r):
		return rest.CodeNetwork
	}
	if _, isAdmin := a.Scope(id); !isAdmin {
		return rest.CodeForbidden
	}
	return ""
}

// isServerAdmin reports whether id administers everything, or looks at it: nobody who
// administers one organization acts on such a user.
func (a *Auth) isServerAdmin(id Identity) bool {
	scope, _ := a.Scope(id)
	return scope.All
}

// ListsAdmin reports whether a subject is one of Config.Admins or Config.Auditors.
func (a *Auth) ListsAdmin(sub string) bool {
	return slices.Contains(a.admins, sub) || slices.Contains(a.auditors, sub)
}

// ListsAdminKey is Lists by Config.UserKey, where only that is known.
func (a *Auth) ListsAdminKey(userKey string) bool {
	return slices.ContainsFunc(slices.Concat(a.admins, a.auditors), func(sub string) bool { return a.revoked.userKey(sub) == userKey })
}

// Admin tells whether id administers everything. An admin of one organization
// doesn't: who can filter by organization asks Scope instead.
func (a *Auth) Admin(id Identity) bool {
	s, ok := a.Scope(id)
	return ok && s.All && !s.ReadOnly
}

// Mode is the server's.
func (a *Auth) Mode() Mode { return a.mode }

// isListed compares exactly: no folding, no trimming, no claim that says so itself.
// An e-mail or a phone number counts where somebody vouches for it: the issuer
// who verified it, or this server, whose own token it is. Else whoever registers
// with an issuer under an admin's address would be that admin.
func isListed(id Identity, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return name == id.Subject ||
			name == id.Phone && (id.Local || id.PhoneVerified) ||
			name == id.Email && (id.Local || id.EmailVerified)
	})
}

// groups are those of Config whose members are admins or auditors, of everything or of
// their own organization.
type groups struct{ all, org []string }

func isMember(id Identity, of []string) bool {
	return slices.ContainsFunc(id.Groups, func(g string) bool { return slices.Contains(of, g) })
}

// isServerMode: a token without a mode belongs to production.
func (a *Auth) isServerMode(mode string) bool {
	return Mode(orDefault(mode, string(Production))) == a.mode
}

func (a *Auth) checkMode(Config) error {
	if a.mode != Production && a.mode != Demo && a.mode != Organization {
		return fmt.Errorf("unknown mode %q", a.mode)
	}
	return nil
}

func checkAdmins(c Config) error { return checkNames(c.Admins) }

func checkAuditors(c Config) error { return checkNames(c.Auditors) }

func checkNames(names []string) error {
	for _, name := range names {
		if strings.TrimSpace(name) != name || name == "" {
			return fmt.Errorf("%q: empty or with spaces around it", name)
		}
	}
	return nil
}
