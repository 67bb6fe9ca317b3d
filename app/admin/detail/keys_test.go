package detail

import "testing"

func TestTheNextSessionIsOfTheList(t *testing.T) {
	list := []string{"a", "b", "c"}
	for _, test := range []struct {
		from   string
		isNext bool
		to     string
	}{{"a", true, "b"}, {"c", true, ""}, {"c", false, "b"}, {"a", false, ""}, {"elsewhere", true, ""}} {
		if to, ok := neighbour(list, test.from, test.isNext); to != test.to || ok != (test.to != "") {
			t.Errorf("from %s, next %v: %q", test.from, test.isNext, to)
		}
	}
}
