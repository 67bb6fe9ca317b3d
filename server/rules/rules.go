// Package rules holds the repository to the rules of the house: who may import
// whom, that every package says what it is, that files stay readable, that the
// README names every flag. It is all tests; nothing imports it.
package rules
