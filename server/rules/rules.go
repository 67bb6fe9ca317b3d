// Package rules holds the repository to the rules of the house: who may import
// whom, that every package says what it is, that files stay readable, that the
// documents name every flag, every dependency. It is all tests; nothing imports it.
package rules
