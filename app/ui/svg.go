package ui

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

const svgNamespace = "http://www.w3.org/2000/svg"

// SVG makes an SVG element. go-app makes an unknown HTML element of every SVG
// tag, children included, that does not name its namespace.
func SVG(tag string) app.HTMLElem {
	return app.Elem(tag).XMLNS(svgNamespace)
}

// Path is one SVG path of the given class.
func Path(class, d string) app.HTMLElem {
	return SVG("path").Class(class).Attr("d", d)
}

// pathBuilder writes path data with integer coordinates, in tenths of a unit:
// making the string is what a chart costs, and integers are the cheap ones.
type pathBuilder struct{ b []byte }

func (p *pathBuilder) to(cmd byte, x, y int) {
	p.b = append(p.b, cmd)
	p.b = strconv.AppendInt(p.b, int64(x), 10)
	p.b = append(p.b, ' ')
	p.b = strconv.AppendInt(p.b, int64(y), 10)
}

// bar is a rectangle from the left bottom corner upwards.
func (p *pathBuilder) bar(x, bottom, width, height int) {
	p.to('M', x, bottom)
	p.b = append(p.b, 'v')
	p.b = strconv.AppendInt(p.b, int64(-height), 10)
	p.b = append(p.b, 'h')
	p.b = strconv.AppendInt(p.b, int64(width), 10)
	p.b = append(p.b, 'v')
	p.b = strconv.AppendInt(p.b, int64(height), 10)
	p.b = append(p.b, 'z')
}

func (p *pathBuilder) String() string { return string(p.b) }

func viewBox(width, height int) string {
	return "0 0 " + strconv.Itoa(width) + " " + strconv.Itoa(height)
}
