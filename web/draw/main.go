// Command draw makes Parley's icons: an arc over a dot, somebody speaking under
// a roof. The mark is described once, by distances, so that every size is drawn
// and none is scaled. It writes PNG files only.
package main

import (
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
)

// The mark on a square of 512, as in icons/parley.svg.
const (
	side      = 512
	corner    = 116.0
	centerX   = 256.0
	baseY     = 312.0 // of the arc's ends and of the dot's middle
	arcRadius = 132.0
	arcWidth  = 46.0
	dotRadius = 46.0
)

type point struct{ x, y float64 }

func main() {
	dir := flag.String("dir", "web/icons", "where to write")
	flag.Parse()
	if err := drawAll(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "draw:", err)
		os.Exit(1)
	}
}

func drawAll(dir string) error {
	for name, icon := range map[string]struct {
		size   int
		corner float64
	}{
		"parley-32.png":           {32, corner},
		"parley-192.png":          {192, corner},
		"parley-512.png":          {512, corner},
		"parley-maskable-512.png": {512, 0}, // the system cuts the shape itself
	} {
		if err := write(filepath.Join(dir, name), draw(icon.size, icon.corner)); err != nil {
			return err
		}
	}
	return nil
}

func write(path string, img image.Image) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(f, img); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// draw paints each pixel from its distance to the shapes, which smooths edges.
func draw(size int, corner float64) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	scale := side / float64(size)
	for y := range size {
		for x := range size {
			p := point{(float64(x) + 0.5) * scale, (float64(y) + 0.5) * scale}
			c := ground(p)
			c = over(c, color.NRGBA{0xFF, 0xFF, 0xFF, 0xFF}, cover(arcDistance(p), scale))
			c = over(c, color.NRGBA{0x7B, 0xF1, 0xD8, 0xFF}, cover(dotDistance(p), scale))
			c.A = uint8(math.Round(255 * cover(boxDistance(p, corner), scale)))
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// ground runs from the upper left to the lower right, the accent's two tones.
func ground(p point) color.NRGBA {
	from, to := color.NRGBA{0x5A, 0x5E, 0xF0, 0xFF}, color.NRGBA{0x2A, 0x2D, 0x9C, 0xFF}
	return over(from, to, (p.x+p.y)/(2*side))
}

// cover is how much of a pixel lies within a shape at this distance from it.
func cover(distance, scale float64) float64 {
	return math.Max(0, math.Min(1, 0.5-distance/scale))
}

func over(under, c color.NRGBA, share float64) color.NRGBA {
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + (float64(b)-float64(a))*share)) }
	return color.NRGBA{mix(under.R, c.R), mix(under.G, c.G), mix(under.B, c.B), under.A}
}

// arcDistance is the upper half of a ring with round ends.
func arcDistance(p point) float64 {
	d := math.Abs(math.Hypot(p.x-centerX, p.y-baseY) - arcRadius)
	if p.y > baseY {
		d = math.Hypot(math.Abs(p.x-centerX)-arcRadius, p.y-baseY)
	}
	return d - arcWidth/2
}

func dotDistance(p point) float64 { return math.Hypot(p.x-centerX, p.y-baseY) - dotRadius }

// boxDistance is the whole square with round corners.
func boxDistance(p point, radius float64) float64 {
	x, y := math.Abs(p.x-side/2)-side/2+radius, math.Abs(p.y-side/2)-side/2+radius
	return math.Hypot(math.Max(x, 0), math.Max(y, 0)) + math.Min(math.Max(x, y), 0) - radius
}
