package metrics_test

import (
	"maps"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"parley/server/metrics"
	"parley/shared/rest"
)

var (
	helpLine   = regexp.MustCompile(`^# HELP (\S+) (.*)$`)
	typeLine   = regexp.MustCompile(`^# TYPE (\S+) (\S+)$`)
	labelName  = regexp.MustCompile(`(\w+)="`)
	tableRow   = regexp.MustCompile("^\\| `(\\w+)` \\| (\\w+) \\| ([^|]*) \\| ([^|]*) \\|$")
	fullName   = regexp.MustCompile(`fqName: "(\w+)"`)
	ofItsShape = []string{"le", "quantile"} // labels that a type brings
)

// description is what a reader is told of a metric.
type description struct {
	kind, help string
	labels     string // each in back quotes, in an order, with spaces between
}

// describe reads what a scrape says of metrics, by their names.
func describe(t *testing.T, m *metrics.Metrics) map[string]description {
	t.Helper()
	w := httptest.NewRecorder()
	m.Metrics().ServeHTTP(w, httptest.NewRequest("GET", rest.PathMetrics, nil))
	all := map[string]description{}
	labels := map[string]map[string]bool{}
	name := ""
	for line := range strings.Lines(w.Body.String()) {
		line = strings.TrimSpace(line)
		if m := helpLine.FindStringSubmatch(line); m != nil {
			name, labels[m[1]] = m[1], map[string]bool{}
			all[name] = description{help: m[2]}
			continue
		}
		d := all[name]
		if m := typeLine.FindStringSubmatch(line); m != nil {
			d.kind = m[2]
		} else {
			for _, m := range labelName.FindAllStringSubmatch(line, -1) {
				if !slices.Contains(ofItsShape, m[1]) {
					labels[name]["`"+m[1]+"`"] = true
				}
			}
			d.labels = strings.Join(slices.Sorted(maps.Keys(labels[name])), " ")
		}
		all[name] = d
	}
	return all
}

// METRICS.md has each metric as the server tells it, and no other.
func TestEveryMetricIsDescribed(t *testing.T) {
	page, err := os.ReadFile("METRICS.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]description{}
	for line := range strings.Lines(string(page)) {
		if m := tableRow.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			told[m[1]] = description{kind: m[2], labels: m[3], help: m[4]}
		}
	}
	there := describe(t, busy())
	maps.DeleteFunc(there, func(name string, _ description) bool { return !strings.HasPrefix(name, "parley_") })
	for name, d := range there {
		if told[name] != d {
			t.Errorf("METRICS.md has\n%s %+v\nthe server\n%s %+v", name, told[name], name, d)
		}
	}
	for name := range told {
		if _, is := there[name]; !is {
			t.Errorf("METRICS.md has %s, which no server tells", name)
		}
	}
}

// What the test above sees is all that there is.
func TestABusyServerTellsEveryMetric(t *testing.T) {
	c := reflect.ValueOf(full())
	for i := range c.NumField() {
		if c.Field(i).IsZero() {
			t.Errorf("full() leaves out %s", c.Type().Field(i).Name)
		}
	}
	there := describe(t, busy())
	for _, collector := range metrics.NewObserver().Collectors() {
		descriptions := make(chan *prometheus.Desc, 10)
		collector.Describe(descriptions)
		close(descriptions)
		for d := range descriptions {
			if name := fullName.FindStringSubmatch(d.String()); name == nil || there[name[1]].kind == "" {
				t.Errorf("busy() tells nothing of %s", d)
			}
		}
	}
}
