package prometheus_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// ruleFile is a file of rules, with the fields that ours use and no others, so that a
// mistyped one is found.
type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr, For    string
			Labels, Annotations map[string]string
		}
	}
}

var (
	annotationLabel = regexp.MustCompile(`\$labels\.(\w+)`)
	legendLabel     = regexp.MustCompile(`\{\{(\w+)\}\}`)
	labelValues     = regexp.MustCompile(`^label_values\((\w+), (\w+)\)$`)
)

func TestRules(t *testing.T) {
	var file ruleFile
	if err := yaml.NewDecoder(strings.NewReader(read(t, "server/packaging/prometheus-rules.yaml")), yaml.Strict()).Decode(&file); err != nil {
		t.Fatal(err)
	}
	metrics, seen := known(t), map[string]bool{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			if rule.Alert == "" || seen[rule.Alert] || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("%q has no name of its own, or says nothing", rule.Alert)
			}
			seen[rule.Alert] = true
			if s := rule.Labels["severity"]; s != "warning" && s != "critical" {
				t.Errorf("%s has the severity %q", rule.Alert, s)
			}
			if _, err := time.ParseDuration(rule.For); rule.For != "" && err != nil {
				t.Errorf("%s: for: %v", rule.Alert, err)
			}
			of, faults := checkQuery(rule.Expr, metrics)
			if len(faults) > 0 {
				t.Errorf("%s: %q", rule.Alert, faults)
			}
			for _, m := range annotationLabel.FindAllStringSubmatch(rule.Annotations["summary"], -1) {
				if !slices.Contains(of, m[1]) {
					t.Errorf("%s speaks of the label %s, which it hasn't", rule.Alert, m[1])
				}
			}
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d rules were read", len(seen))
	}
}

type place struct{ X, Y, W, H int }

func (p place) overlaps(q place) bool {
	return p.X < q.X+q.W && q.X < p.X+p.W && p.Y < q.Y+q.H && q.Y < p.Y+p.H
}

// board is what is held of a board.
type board struct {
	Panels []struct {
		ID          int
		Title, Type string
		GridPos     place
		Targets     []struct{ Expr, LegendFormat string }
	}
	Templating struct {
		List []struct{ Name, Definition string }
	}
}

func TestBoard(t *testing.T) {
	var b board
	if err := json.Unmarshal([]byte(read(t, "server/packaging/grafana-board.json")), &b); err != nil {
		t.Fatal(err)
	}
	metrics := known(t)
	var rows []string
	ids, queries := map[int]bool{}, 0
	for i, panel := range b.Panels {
		if panel.Type == "row" {
			rows = append(rows, panel.Title)
		} else if len(panel.Targets) == 0 {
			t.Errorf("%s asks for nothing", panel.Title)
		}
		for _, other := range b.Panels[:i] {
			if ids[panel.ID] || panel.GridPos.overlaps(other.GridPos) || panel.Title == "" {
				t.Fatalf("%q and %q are the same, or lie one upon the other", panel.Title, other.Title)
			}
		}
		ids[panel.ID] = true
		for _, target := range panel.Targets {
			queries++
			of, faults := checkQuery(target.Expr, metrics)
			for _, m := range legendLabel.FindAllStringSubmatch(target.LegendFormat, -1) {
				if !slices.Contains(of, m[1]) {
					faults = append(faults, "its legend has "+m[0])
				}
			}
			if len(faults) > 0 {
				t.Errorf("%s: %q", panel.Title, faults)
			}
		}
	}
	for _, variable := range b.Templating.List {
		m := labelValues.FindStringSubmatch(variable.Definition)
		if variable.Name != "datasource" && (m == nil || metrics[m[1]] == nil || !slices.Contains(append(metrics[m[1]], ofScrapes...), m[2])) {
			t.Errorf("%s is from %q", variable.Name, variable.Definition)
		}
	}
	if want := []string{"Overview", "Quality", "Agents", "Server"}; !slices.Equal(rows, want) || queries < 30 {
		t.Errorf("rows %q, %d queries", rows, queries)
	}
}
