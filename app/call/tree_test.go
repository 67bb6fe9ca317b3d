package call_test

import (
	"reflect"
	"runtime"
	"strings"
	"unsafe"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// node is an element of a page that isn't in a browser, with what a click on it does:
// the method that handles it, or the address that it leads to.
type node struct {
	tag, class, target string
	isDisabled         bool
	texts              []string // its own and those within, in order
	within             []node
}

// treeOf is what a page draws. go-app tells nobody of the handlers of an element, so
// they are read from where it keeps them.
func treeOf(ui app.UI) node {
	if c, ok := ui.(app.Composer); ok {
		return treeOf(c.Render())
	}
	v := reflect.ValueOf(ui).Elem()
	if text := v.FieldByName("value"); text.IsValid() && text.Kind() == reflect.String {
		return node{texts: []string{text.String()}}
	}
	n := node{tag: v.FieldByName("tag").String()}
	attributes := v.FieldByName("attributes")
	for _, key := range attributes.MapKeys() {
		switch value := attributes.MapIndex(key).String(); key.String() {
		case "class":
			n.class = value
		case "href":
			n.target = value
		case "disabled":
			n.isDisabled = true
		}
	}
	if click := v.FieldByName("eventHandlers").MapIndex(reflect.ValueOf("click")); click.IsValid() {
		n.target = methodName(click.FieldByName("goHandler").Pointer())
	}
	for _, child := range childrenOf(v) {
		below := treeOf(child)
		n.texts, n.within = append(n.texts, below.texts...), append(n.within, below)
	}
	return n
}

func childrenOf(element reflect.Value) []app.UI {
	f := element.FieldByName("children")
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem().Interface().([]app.UI)
}

// methodName is that of a method value: Page.hangup.
func methodName(pc uintptr) string {
	name := runtime.FuncForPC(pc).Name()
	name = name[strings.LastIndex(name, "/")+1:]
	_, name, _ = strings.Cut(name, ".")
	return strings.TrimSuffix(strings.NewReplacer("(*", "", ")", "").Replace(name), "-fm")
}

// find is the first element, from the outside in, that is one.
func (n node) find(is func(node) bool) (node, bool) {
	if is(n) {
		return n, true
	}
	for _, w := range n.within {
		if found, ok := w.find(is); ok {
			return found, true
		}
	}
	return node{}, false
}

// hasClass reports whether the element is of a class of the style sheet.
func (n node) hasClass(name string) bool {
	for _, c := range strings.Fields(n.class) {
		if c == name {
			return true
		}
	}
	return false
}

// acts are the controls within, each as "what it is called → what it does".
func (n node) acts() []string {
	if n.tag == "button" || n.tag == "a" {
		return []string{strings.Join(n.texts, " ") + " → " + n.target}
	}
	var out []string
	for _, w := range n.within {
		out = append(out, w.acts()...)
	}
	return out
}
