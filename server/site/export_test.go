package site

// What the tests reach of the inside.
var ShrinkCSS = shrinkCSS
