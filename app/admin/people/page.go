// Package people owns the admins' page of those whose tokens are refused: who, since
// when, by whom and why; somebody is added, and taken back. It knows no person
// beyond what the server shows of them, masked.
package people

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// Server is what the page needs of the server. *client.Client is one.
type Server interface {
	Revocations(ctx context.Context, q rest.RevocationQuery) (rest.Page[rest.Revocation], error)
	RevokeUser(ctx context.Context, subject string, asked rest.RevokeRequest) (rest.Revoked, error)
	RestoreUser(ctx context.Context, id int64) error
	ErasePerson(ctx context.Context, subject, reason string) (rest.Erased, error)
}

// Page lists revocations.
type Page struct {
	app.Compo

	server    Server
	ctx       app.Context
	resource  load.Resource
	list      []rest.Revocation
	next      string // the cursor of older ones
	user      string // whom to revoke
	isBlock   bool   // and every token to come
	isLeft    bool   // the field was left
	revoking  bool   // the dialog is open
	erasing   bool   // or this one
	restoring int64  // of whom the dialog asks; 0: of nobody
	busy      bool
	problem   string // why it was not done
}

const (
	userID  = "user"
	blockID = "block"
)

// New makes the page. Without a server it shows its skeleton.
func New(s Server) *Page { return &Page{server: s} }

// OnMount asks for the list.
func (p *Page) OnMount(ctx app.Context) {
	p.ctx = ctx
	p.resource = load.Resource{Name: "revocations"}
	if p.server != nil {
		p.resource.Ask = func() load.Question { return p.fetch }
	}
	p.resource.Start(ctx)
}

// OnDismount stops asking.
func (p *Page) OnDismount() { p.resource.Stop() }

func (p *Page) fetch(ctx context.Context) (func(), error) {
	found, err := p.server.Revocations(ctx, rest.RevocationQuery{})
	return func() { p.list, p.next = found.Items, found.NextCursor }, err
}

func (p *Page) more(app.Context, app.Event) {
	cursor := p.next
	var found rest.Page[rest.Revocation]
	p.act(func(ctx context.Context) (err error) {
		found, err = p.server.Revocations(ctx, rest.RevocationQuery{Cursor: cursor})
		return err
	}, func() { p.list, p.next = append(p.list, found.Items...), found.NextCursor })
}

func (p *Page) edit(_ app.Context, id, text string) {
	if id == blockID {
		p.isBlock = text == "true"
		return
	}
	p.user, p.isLeft = text, false
}

func (p *Page) leave(app.Context, string) { p.isLeft = true }

// userProblem says what a subject is made of, where this is none.
func userProblem(user string) string {
	user = strings.TrimSpace(user)
	ok := user != "" && len(user) <= 255
	for i := range len(user) {
		ok = ok && user[i] >= '!' && user[i] <= '~'
	}
	if !ok {
		return "Use the user's id as the token has it (sub): up to 255 characters without spaces."
	}
	return ""
}

func (p *Page) askRevoke(app.Context, app.Event) { p.revoking = p.isReady() }

func (p *Page) askErase(app.Context, app.Event) { p.erasing = p.isReady() }

// isReady reports whether the field has somebody.
func (p *Page) isReady() bool {
	p.isLeft = true
	if userProblem(p.user) != "" {
		ui.Focus(userID)
		return false
	}
	p.problem = ""
	return true
}

// dataPath is where what is kept about the person is handed out.
func (p *Page) dataPath() string {
	return strings.Replace(rest.PathPersonData, "{sub}", url.PathEscape(strings.TrimSpace(p.user)), 1)
}

func (p *Page) erase(_ app.Context, reason string) {
	user := strings.TrimSpace(p.user)
	p.act(func(ctx context.Context) error {
		_, err := p.server.ErasePerson(ctx, user, reason)
		if refused := explainPerson(err); refused != nil && refused.Status == 409 {
			refused.Status, refused.Detail = 422, "They are in a call. End it, then erase."
		}
		return err
	}, func() {
		p.closeDialog(p.ctx)
		ui.Announce("Erased.")
	})
}

// explainPerson has a 404 say that it is the person who is unknown.
func explainPerson(err error) *rest.Problem {
	refused := load.Refused(err)
	if refused != nil && refused.Status == 404 {
		refused.Status, refused.Detail = 422, "Nobody of this id has called or signed in here."
	}
	return refused
}

func (p *Page) askRestore(id int64) app.EventHandler {
	return func(app.Context, app.Event) { p.restoring, p.problem = id, "" }
}

func (p *Page) closeDialog(app.Context) { p.revoking, p.erasing, p.restoring = false, false, 0 }

func (p *Page) revoke(_ app.Context, reason string) {
	user, asked := strings.TrimSpace(p.user), rest.RevokeRequest{Block: p.isBlock, Reason: reason}
	var done rest.Revoked
	p.act(func(ctx context.Context) (err error) {
		done, err = p.server.RevokeUser(ctx, user, asked)
		explainPerson(err)
		return err
	}, func() {
		p.user, p.isBlock, p.isLeft = "", false, false
		ui.ClearField(userID)
		p.closeDialog(p.ctx)
		p.resource.Reload()
		ui.Announce("Revoked. " + endedWords(done.Ended))
	})
}

func endedWords(n int) string {
	if n == 1 {
		return "1 call was ended."
	}
	return strconv.Itoa(n) + " calls were ended."
}

func (p *Page) restore(app.Context, string) {
	id := p.restoring
	p.act(func(ctx context.Context) error { return p.server.RestoreUser(ctx, id) }, func() {
		p.closeDialog(p.ctx)
		p.resource.Reload()
		ui.Announce("Restored.")
	})
}

// act does something, and then done unless it was refused.
func (p *Page) act(do func(context.Context) error, done func()) {
	p.busy, p.problem = true, ""
	load.Act(p.ctx, do, func(_ app.Context, err error) {
		p.busy = false
		if p.problem = load.Words(err); err == nil {
			done()
		}
	})
}
