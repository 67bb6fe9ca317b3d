package wire_test

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/shared/wire"
)

// protocolRows gives the cells of the table under a heading of PROTOCOL.md, by
// what stands in the first.
func protocolRows(t *testing.T, heading string) map[string][]string {
	t.Helper()
	page, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("PROTOCOL.md has no heading %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	rows := map[string][]string{}
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) < 2 || strings.HasPrefix(cells[0], "---") || strings.HasPrefix(cells[0], " ---") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows[strings.Trim(cells[0], "`")] = cells[1:]
	}
	return rows
}

func TestProtocolNamesEveryMessageAndField(t *testing.T) {
	for heading, from := range map[string]wire.Side{"From the server": wire.Server, "From the client": wire.Client} {
		rows, fields := protocolRows(t, heading), wire.FieldNames(from)
		if len(fields) != wire.Types(from) {
			t.Errorf("%d of %d types were looked at", len(fields), wire.Types(from))
		}
		for name, want := range fields {
			cells, told := rows[string(name)]
			if !told {
				t.Errorf("%q has no row for %s", heading, name)
				continue
			}
			for _, field := range want {
				if !strings.Contains(cells[0], "`"+field+"`") {
					t.Errorf("%s does not name its field %s", name, field)
				}
			}
		}
		if len(rows)-1 != len(fields) { // without the table's head
			t.Errorf("%q has %d rows, there are %d types", heading, len(rows)-1, len(fields))
		}
	}
}

func TestProtocolNamesEveryCauseWithItsCloseCode(t *testing.T) {
	rows := protocolRows(t, "How a session ends")
	for _, cause := range wire.EndCauses() {
		cells := rows[string(cause)]
		if len(cells) == 0 || cells[0] != strconv.Itoa(int(cause.CloseCode())) {
			t.Errorf("%s is told as %v, its code is %d", cause, cells, cause.CloseCode())
		}
	}
	if len(rows)-1 != len(wire.EndCauses()) {
		t.Errorf("%d rows for %d causes", len(rows)-1, len(wire.EndCauses()))
	}
}

func TestProtocolNamesEveryErrorCode(t *testing.T) {
	rows := protocolRows(t, "Errors")
	for _, code := range wire.ErrorCodes() {
		if len(rows[string(code)]) == 0 {
			t.Errorf("no row for %s", code)
		}
	}
	if len(rows)-1 != len(wire.ErrorCodes()) {
		t.Errorf("%d rows for %d codes", len(rows)-1, len(wire.ErrorCodes()))
	}
}

func TestProtocolTellsTheLimits(t *testing.T) {
	digits := regexp.MustCompile(`[\d,]+`)
	for name, want := range map[string]int{
		"MaxFrame": wire.MaxFrame, "MaxSDP": wire.MaxSDP, "MaxCandidates": wire.MaxCandidates,
		"MaxSamples": wire.MaxSamples, "MaxDepth": wire.MaxDepth, "MaxString": wire.MaxString, "MaxPing": wire.MaxPing,
	} {
		value := cellBesides(t, "Frames", name)
		numbers := digits.FindAllString(value, -1)
		if len(numbers) == 0 || strings.ReplaceAll(numbers[len(numbers)-1], ",", "") != strconv.Itoa(want) {
			t.Errorf("%s is told as %q, it is %d", name, value, want)
		}
	}
}

func TestProtocolTellsTheDeadlines(t *testing.T) {
	number := regexp.MustCompile(`[\d.]+`)
	for name, want := range map[string]time.Duration{
		"OfferTimeout": wire.OfferTimeout, "SocketPing": wire.SocketPing, "SocketTimeout": wire.SocketTimeout,
		"SampleInterval": wire.SampleInterval, "ReportInterval": wire.ReportInterval, "PingInterval": wire.PingInterval,
	} {
		value := cellBesides(t, "Deadlines", name)
		seconds, err := strconv.ParseFloat(number.FindString(value), 64)
		if err != nil || time.Duration(seconds*float64(time.Second)) != want {
			t.Errorf("%s is told as %q, it is %v", name, value, want)
		}
	}
}

// cellBesides gives the value in the row of a constant.
func cellBesides(t *testing.T, heading, constant string) string {
	t.Helper()
	for _, cells := range protocolRows(t, heading) {
		if slices.Contains(cells, "`"+constant+"`") {
			return cells[0]
		}
	}
	t.Errorf("%q has no row for %s", heading, constant)
	return ""
}
