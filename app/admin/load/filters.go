package load

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// settles is how long filters rest before they are written to the address and
// asked for.
const settles = 250 * time.Millisecond

// Filters are the parameters of a page's address that say what it shows.
type Filters struct {
	Keys []string
	// View are more of them, that say which time and how much: Clear leaves them,
	// and they are no filters that nothing may match.
	View     []string
	OnChange func() // the filters have settled; the page asks again

	values url.Values
	ctx    app.Context
	timer  *time.Timer
}

// Read takes the filters from the address. It belongs into OnMount and OnNav,
// and reports whether they differ from before.
func (f *Filters) Read(ctx app.Context) bool {
	f.ctx = ctx
	next := url.Values{}
	asked := ctx.Page().URL().Query()
	for _, key := range f.keys() {
		if v := asked.Get(key); v != "" {
			next.Set(key, v)
		}
	}
	same := f.values != nil && next.Encode() == f.values.Encode()
	f.values = next
	return !same
}

// Get is the value of a filter, "" for none.
func (f *Filters) Get(key string) string { return f.values.Get(key) }

// Values are those that are set. The caller may change them.
func (f *Filters) Values() url.Values {
	copied := url.Values{}
	for key := range f.values {
		copied.Set(key, f.values.Get(key))
	}
	return copied
}

// Set changes filters at once, key, value, key, value; "" takes one away. The
// address follows when they have settled, and then OnChange is called.
func (f *Filters) Set(pairs ...string) {
	if f.values == nil {
		f.values = url.Values{}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if f.values.Del(pairs[i]); pairs[i+1] != "" {
			f.values.Set(pairs[i], pairs[i+1])
		}
	}
	f.settle()
}

// Clear takes all filters away, and leaves the view.
func (f *Filters) Clear() {
	for key := range f.values {
		if !slices.Contains(f.View, key) {
			f.values.Del(key)
		}
	}
	f.settle()
}

// IsEmpty reports whether everything passes.
func (f *Filters) IsEmpty() bool {
	for key := range f.values {
		if !slices.Contains(f.View, key) {
			return false
		}
	}
	return true
}

func (f *Filters) keys() []string { return slices.Concat(f.Keys, f.View) }

// Query writes the filters for an address, in the order of Keys. Commas and
// colons are not escaped: the address is read by people.
func (f *Filters) Query() string {
	var parts []string
	for _, key := range f.keys() {
		if v := f.Get(key); v != "" {
			parts = append(parts, key+"="+strings.NewReplacer("%2C", ",", "%3A", ":").Replace(url.QueryEscape(v)))
		}
	}
	return strings.Join(parts, "&")
}

// settle waits until nobody has changed anything for a moment.
func (f *Filters) settle() {
	if f.timer != nil {
		f.timer.Stop()
	}
	if !isSet(f.ctx) {
		return
	}
	ctx := f.ctx
	f.timer = time.AfterFunc(settles, func() { ctx.Dispatch(f.write) })
}

// write puts the filters into the address, beside what else stands there.
func (f *Filters) write(ctx app.Context) {
	address := *ctx.Page().URL()
	address.RawQuery = f.merged(address.Query())
	ctx.Page().ReplaceURL(&address)
	if f.OnChange != nil {
		f.OnChange()
	}
}

// merged is the query of an address with these filters in it.
func (f *Filters) merged(others url.Values) string {
	for _, key := range f.keys() {
		others.Del(key)
	}
	query := f.Query()
	if rest := others.Encode(); rest != "" {
		query = strings.TrimPrefix(query+"&"+rest, "&")
	}
	return query
}
