// Package ui owns how Parley looks and speaks: leaf elements, icons, the way
// numbers and times are written, and the words for every code. Its elements
// draw what they are given. It knows no page, no server and no call, fetches
// nothing, and never writes a style attribute (the page's policy forbids it).
//
// Functions return elements without memory; types are components that keep
// some (a clock, an open dialog). Handlers given to an element inside a loop
// need an app.EventScope, because go-app compares handlers by their code.
package ui
