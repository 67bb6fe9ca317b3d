// Package chart owns figures drawn over time: TimeChart, the ribbon of a whole
// call, and Timeline, which is what all figures of a page share: the stretch of
// time that they show and the one cursor. They are SVG of integer coordinates;
// where a pointer moves, the elements are changed directly and no component is
// drawn again. It knows neither server nor page.
package chart
