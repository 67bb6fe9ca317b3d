package e2e_test

import (
	"encoding/json"
	"fmt"
)

// An otherwise is what a page hears instead of the server's own answer. The first whose
// path matches counts.
type otherwise struct {
	Path   string `json:"path"`             // a regular expression
	Status int    `json:"status,omitempty"` // with Body
	Body   any    `json:"body,omitempty"`
	Stream string `json:"stream,omitempty"` // server-sent events, after which the stream stays open
	Ends   bool   `json:"ends,omitempty"`   // or ends
	Hangs  bool   `json:"hangs,omitempty"`  // no answer comes
	Fails  bool   `json:"fails,omitempty"`  // there is no connection
}

// answersOtherwise lets a test say what the page's requests are answered, and whether
// the browser has a network.
const answersOtherwise = `(() => {
  const real = window.fetch, says = window.parleySays = { rules: [], offline: false, said: [] };
  new MutationObserver(changes => {
    for (const { target, addedNodes } of changes) if (target.id === 'status') says.said.push(...[...addedNodes].map(n => n.data));
  }).observe(document, { childList: true, subtree: true });
  Object.defineProperty(Navigator.prototype, 'onLine', { configurable: true, get: () => !says.offline });
  const whenAborted = (options, act) => options?.signal?.addEventListener('abort', act);
  const opened = (rule, options) => new ReadableStream({ start(c) {
    whenAborted(options, () => { try { c.error(new DOMException('', 'AbortError')); } catch {} });
    c.enqueue(new TextEncoder().encode(rule.stream));
    if (rule.ends) c.close();
  } });
  window.fetch = (address, options) => {
    const { pathname } = new URL(address, location);
    const rule = says.rules.find(r => new RegExp(r.path).test(pathname));
    const lost = () => Promise.reject(new TypeError('Failed to fetch'));
    if (!rule) return says.offline ? lost() : real(address, options).then(answer => says.offline ? lost() : answer);
    rule.told = (rule.told ?? 0) + 1;
    if (rule.hangs) return new Promise((_, reject) => whenAborted(options, () => reject(new DOMException('', 'AbortError'))));
    if (rule.fails) return lost();
    if (rule.stream) return Promise.resolve(new Response(opened(rule, options), { headers: { 'Content-Type': 'text/event-stream' } }));
    const type = rule.status < 400 ? 'application/json' : 'application/problem+json';
    return Promise.resolve(new Response(JSON.stringify(rule.body), { status: rule.status, headers: { 'Content-Type': type } }));
  };
})()`

// hearsInstead has the page's requests answered otherwise from now on.
func (s *screen) hearsInstead(answers ...otherwise) {
	s.t.Helper()
	rules, err := json.Marshal(append([]otherwise{}, answers...))
	if err != nil {
		s.t.Fatal(err)
	}
	evaluate[any](s, fmt.Sprintf("parleySays.rules = %s; 0", rules))
}

// hasNetwork tells the browser whether there is one.
func (s *screen) hasNetwork(yes bool) {
	s.t.Helper()
	event := map[bool]string{true: "online", false: "offline"}[yes]
	evaluate[any](s, fmt.Sprintf("parleySays.offline = %v; dispatchEvent(new Event('%s')); 0", !yes, event))
}

// follow goes to another page by a link, and waits until the one before is gone. The
// program stays.
func (s *screen) follow(path string) {
	s.t.Helper()
	left := evaluate[bool](s, fmt.Sprintf(`(async () => {
	  const old = document.querySelector('.page'), link = document.createElement('a');
	  link.href = %q;
	  document.querySelector('.app').append(link);
	  link.click();
	  link.remove();
	  const began = performance.now();
	  while (old?.isConnected && performance.now() - began < %d) await new Promise(requestAnimationFrame);
	  return !old?.isConnected;
	})()`, path, patience.Milliseconds()))
	if !left {
		s.t.Fatalf("no way from %s to %s", s.address(), path)
	}
}
