package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// artifacts are the screenshots, kept by CI.
const artifacts = "../../artifacts"

// A size is a window, in CSS pixels.
type size struct{ width, height int64 }

var (
	desktop = size{1280, 800}
	phone   = size{390, 844}
)

// A screen is one page, as a user has it before them. Controls go by the name
// that a screen reader would say.
type screen struct {
	t     *testing.T
	ctx   context.Context
	close func() // the tab, as its user would

	mu                           sync.Mutex
	console, complaints, excused []string
}

func (s *screen) goTo(address string) {
	s.t.Helper()
	if err := chromedp.Do(s.ctx, chromedp.Navigate(address)); err != nil {
		s.t.Fatalf("open %s: %v", address, err)
	}
}

// address is what the address bar shows.
func (s *screen) address() string { return evaluate[string](s, "location.href") }

// press clicks the button or link with the name.
func (s *screen) press(name string) {
	s.t.Helper()
	s.click(name, "button", "link", "switch", "tab", "menuitem", "DisclosureTriangle")
}

func (s *screen) click(name string, roles ...string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("press %q", name), patience, func() (string, bool) { return s.tryClick(name, roles...) })
}

// tryClick presses a control if it is there now, and else says what is.
func (s *screen) tryClick(name string, roles ...string) (seen string, ok bool) {
	s.t.Helper()
	node, err := s.find(name, roles...)
	if whole := s.counted(name); err != nil && whole != "" { // of no name, any control is one
		node, err = s.find(whole, roles...)
	}
	if err != nil {
		return err.Error() + "\n" + s.text(), false
	}
	if disabled(node) {
		return name + " is disabled\n" + s.text(), false
	}
	x, y, err := s.center(node)
	if err != nil {
		return err.Error(), false
	}
	if err := chromedp.Do(s.ctx, chromedp.MouseClickXY(x, y)); err != nil {
		return err.Error(), false
	}
	return name + " moved from under the pointer\n" + s.text(), !evaluate[bool](s, "!!window.parleyMissed")
}

// counted is the whole name of an entry of the menu, which tells how many there are:
// "Sessions, 40 live".
func (s *screen) counted(name string) string {
	return evaluate[string](s, `[...document.querySelectorAll('.nav-label')].filter(e => e.checkVisibility() && e.textContent === '`+name+`')
	  .map(e => e.closest('.nav-link').ariaLabel)[0] ?? ''`)
}

// find looks the accessibility tree through for a control.
func (s *screen) find(name string, roles ...string) (*accessibility.Node, error) {
	document, err := chromedp.Run(s.ctx, chromedp.Evaluate[*runtime.RemoteObject]("document"))
	if err != nil {
		return nil, err
	}
	found, err := chromedp.Call(s.ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: document.ObjectID, AccessibleName: name})
	if err != nil {
		return nil, err
	}
	for _, node := range found.Nodes {
		if node.Ignored || node.Role == nil || node.BackendDOMNodeID == 0 {
			continue
		}
		role := unquote(node.Role)
		for _, want := range roles {
			if role == want {
				return node, nil
			}
		}
	}
	return nil, fmt.Errorf("no %s named %q", strings.Join(roles, " or "), name)
}

func disabled(node *accessibility.Node) bool {
	for _, p := range node.Properties {
		if p.Name == accessibility.PropertyNameDisabled && p.Value != nil && string(p.Value.Value) == "true" {
			return true
		}
	}
	return false
}

func unquote(v *accessibility.Value) string {
	var text string
	if json.Unmarshal(v.Value, &text) != nil {
		return ""
	}
	return text
}

// settled is the middle of an element that has stopped moving and is not
// covered: where a user would click. It is null while there is no such place. A click that
// something else gets is missed: what loads on a busy machine can move an element from
// under the pointer. An element that was drawn anew in between is the same to a user.
const settled = `async function() {
  this.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  const middle = () => { const r = this.getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 }; };
  const a = middle();
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const words = this.textContent;
  const isOf = e => this.contains(e) || [...(this.labels || [])].some(l => l.contains(e)) ||
    !this.isConnected && e.closest(this.localName)?.textContent === words;
  const b = middle(), top = document.elementFromPoint(b.x, b.y);
  window.parleyMissed = false;
  addEventListener('click', e => { window.parleyMissed = !isOf(e.target); }, { capture: true, once: true });
  return a.x === b.x && a.y === b.y && top && isOf(top) ? b : null;
}`

// center tells where to click.
func (s *screen) center(node *accessibility.Node) (x, y float64, err error) {
	element, err := chromedp.Call(s.ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: node.BackendDOMNodeID})
	if err != nil {
		return 0, 0, err
	}
	yes := true
	answer, err := chromedp.Call(s.ctx, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: settled, ObjectID: element.Object.ObjectID, AwaitPromise: &yes, ReturnByValue: &yes})
	if err != nil {
		return 0, 0, err
	}
	var at *struct{ X, Y float64 }
	if err := json.Unmarshal(answer.Result.Value, &at); err != nil || at == nil {
		return 0, 0, fmt.Errorf("%s moves or is covered", unquote(node.Name))
	}
	return at.X, at.Y, nil
}

// says waits until the page shows the words.
func (s *screen) says(words string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("the page says %q", words), patience, func() (string, bool) {
		text := s.text()
		return text, strings.Contains(text, words)
	})
}

// saysNot waits until the page doesn't show the words any more.
func (s *screen) saysNot(words string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("the page doesn't say %q", words), patience, func() (string, bool) {
		text := s.text()
		return text, !strings.Contains(text, words)
	})
}

// text is what the page shows, its white space made plain.
func (s *screen) text() string {
	return strings.Join(strings.Fields(evaluate[string](s, shownText)), " ")
}

// shownText leaves out the two live regions at the page's end, which keep what
// was announced before.
const shownText = `(() => {
  let text = document.body ? document.body.innerText : '';
  for (const id of ['alert', 'status']) {
    const said = document.getElementById(id)?.innerText.trim();
    const at = said ? text.lastIndexOf(said) : -1;
    if (at >= 0) text = text.slice(0, at) + text.slice(at + said.length);
  }
  return text;
})()`

// types sends keys to what has the focus.
func (s *screen) types(keys string, options ...chromedp.KeyOption) {
	s.t.Helper()
	if err := chromedp.Do(s.ctx, chromedp.KeyEvent(keys, options...)); err != nil {
		s.t.Fatal(err)
	}
}

// evaluate runs an expression in the page, and waits for it if it is a
// promise. A page that is just being replaced answers with the zero value.
func evaluate[T any](s *screen, expression string) T {
	v, err := chromedp.Run(s.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		var zero T
		return zero
	}
	return v
}

func (s *screen) resize(to size) {
	s.t.Helper()
	if _, err := chromedp.Call(s.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: to.width, Height: to.height, DeviceScaleFactor: 1, Mobile: to == phone}); err != nil {
		s.t.Fatal(err)
	}
}

// pictures keeps the page as artefacts: wide in light and narrow in dark or, where
// PARLEY_PICTURES asks for all, each in both.
func (s *screen) pictures(name string) {
	s.t.Helper()
	all := os.Getenv("PARLEY_PICTURES") != ""
	for _, shape := range []size{desktop, phone} {
		s.resize(shape)
		for _, scheme := range []string{"light", "dark"} {
			if !all && (shape == phone) != (scheme == "dark") {
				continue
			}
			s.wear(scheme)
			s.keep(fmt.Sprintf("%s-%d-%s", name, shape.width, scheme))
			if shape == phone {
				s.fitsAcross(name)
			}
		}
	}
	s.wear("light")
	s.resize(desktop)
}

// fitsAcross checks that a narrow page needs no sideways scrolling, once it is laid out
// for its window.
func (s *screen) fitsAcross(name string) {
	s.t.Helper()
	eventually(s.t, name+" fits a phone", patience, func() (string, bool) {
		over := evaluate[int](s, "document.documentElement.scrollWidth - document.documentElement.clientWidth")
		return fmt.Sprintf("%d pixels too wide", over), over <= 0
	})
}

func (s *screen) wear(scheme string) {
	s.t.Helper()
	if _, err := chromedp.Call(s.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}); err != nil {
		s.t.Fatal(err)
	}
}

// keep writes one screenshot.
func (s *screen) keep(name string) {
	if err := s.keepIn("", s.t.Name()+"-"+name); err != nil {
		s.t.Logf("no screenshot of %s: %v", name, err)
	}
}

// keepIn writes one screenshot into a folder of the artefacts.
func (s *screen) keepIn(folder, name string) error {
	shot, err := s.shot(page.CaptureScreenshotParams{OptimizeForSpeed: new(true)}) // rather than for size
	if err != nil {
		return err
	}
	folder = filepath.Join(artifacts, folder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, strings.NewReplacer("/", "-", " ", "-").Replace(name)+".png"), shot, 0o644)
}

func (s *screen) shot(how page.CaptureScreenshotParams) ([]byte, error) {
	shot, err := chromedp.Call(s.ctx, page.CaptureScreenshot, how)
	if err != nil {
		return nil, err
	}
	return shot.Data, nil
}
