package ui

// FilterTextID is the id of a page's text filter: the key / goes there.
const FilterTextID = "filter-text"
