package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"parley/shared/rest"
)

// OrgCap is how many calls an organization may have at the same time; 0 is as many as
// there are lines. Calls of no organization have no such cap.
func (v Values) OrgCap(org string) int { return OrgCap(v.OrgCaps, v.MaxPerOrg, org) }

// OrgCap reads an organization's own figure from a list as it is kept, such as
// "acme=20, globex=5"; most is that of one which has none.
func OrgCap(list string, most int, org string) int {
	if org == "" {
		return 0
	}
	for entry := range strings.SplitSeq(list, ", ") {
		if name, n, found := cutLast(entry, "="); found && name == org {
			own, _ := strconv.Atoi(n)
			return own
		}
	}
	return most
}

// cutLast is strings.Cut at the last separator: a name may have one.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// ReadOrgCaps reads organizations and their caps with commas or lines between, and writes
// them in one way. problem is a sentence for whoever typed something else.
func ReadOrgCaps(text string) (list, problem string) {
	var entries, names []string
	for _, entry := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' }) {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		name, number, found := cutLast(entry, "=")
		name, number = strings.TrimSpace(name), strings.TrimSpace(number)
		n, err := strconv.Atoi(number)
		switch {
		case !found || name == "" || err != nil || n < 0 || n > maxCalls:
			return "", fmt.Sprintf("%.60q is no organization with its calls: use one such as acme=20, 0 to %d; 0 is none.", entry, maxCalls)
		case slices.Contains(names, name):
			return "", fmt.Sprintf("%.60q stands there twice.", name)
		case len(names) == rest.MaxOrgCaps:
			return "", fmt.Sprintf("Use %d organizations at most.", rest.MaxOrgCaps)
		}
		names, entries = append(names, name), append(entries, name+"="+strconv.Itoa(n))
	}
	return strings.Join(entries, ", "), ""
}
