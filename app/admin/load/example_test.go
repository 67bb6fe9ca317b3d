package load_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
)

// Notes is a page: its words, its question and its body. All states of it are
// the Resource's.
type Notes struct {
	app.Compo

	server interface {
		Notes(ctx context.Context, q string) ([]string, error)
	}
	list    load.Resource
	filters load.Filters
	notes   []string
}

func NewNotes(server interface {
	Notes(ctx context.Context, q string) ([]string, error)
}) *Notes {
	n := &Notes{server: server, filters: load.Filters{Keys: []string{"q"}}}
	n.list = load.Resource{Name: "notes", Ask: n.ask}
	n.filters.OnChange = n.list.Reload
	return n
}

func (n *Notes) OnMount(ctx app.Context) {
	n.filters.Read(ctx)
	n.list.Start(ctx)
}

func (n *Notes) OnNav(ctx app.Context) {
	if n.filters.Read(ctx) {
		n.list.Reload()
	}
}

func (n *Notes) OnDismount() { n.list.Stop() }

// ask takes what it needs of the page. The question runs beside the UI
// goroutine, and what it returns changes the page.
func (n *Notes) ask() load.Question {
	q := n.filters.Get("q")
	return func(ctx context.Context) (show func(), err error) {
		found, err := n.server.Notes(ctx, q)
		return func() { n.notes = found }, err
	}
}

func (n *Notes) Render() app.UI {
	return n.list.UI(load.Page{Title: "Notes", View: load.View{
		Skeleton: ui.Skeleton(ui.SkeletonRows, 8),
		Count:    len(n.notes),
		Empty:    ui.EmptyState{Icon: ui.IconInfo, Title: "No notes yet."},
		Filters:  &n.filters,
		Content:  func() app.UI { return app.P().Text(strings.Join(n.notes, ", ")) },
	}})
}

// kept answers at once, as a client of the server would in a while.
type kept []string

func (k kept) Notes(context.Context, string) ([]string, error) { return k, nil }

// mounted is the page as in a browser: elsewhere go-app mounts nothing.
type mounted struct{ *Notes }

func (m mounted) OnPreRender(ctx app.Context) { m.OnMount(ctx) }

func Example() {
	page := &mounted{NewNotes(kept{"buy milk", "call home"})}
	engine := app.NewTestEngine()
	if err := engine.Load(page); err != nil {
		fmt.Println(err)
	}
	engine.ConsumeAll()
	fmt.Println(strings.Contains(app.HTMLString(page), "buy milk, call home"))
	// Output: true
}
