package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/shared/rest"
)

// Whoever's subject is an e-mail address or a phone number leaves neither in
// what is written, logged or answered, nor their token, nor what secures a call.
func TestNobodyStandsInWhatIsKeptLoggedOrAnswered(t *testing.T) {
	t.Parallel()
	p := start(t, "--log-format=json")
	people := []string{"ada.lovelace@example.com", "+905551234534"}
	secrets := []string{"ada.lovelace@", "5551234534", "127.0.0.1"}
	for _, sub := range people {
		secrets = append(secrets, p.token(t, sub)[len("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."):])
		k := p.talking(t, sub, "echo")
		k.say(t, time.Second, true)
		p.ask(t, sub, http.MethodGet, rest.PathMe, nil, nil)
		p.ask(t, "demo-admin", http.MethodGet, rest.PathLogs+"?user="+strings.ReplaceAll(sub, "+", "%2B"), nil, nil)
		end := strings.Replace(rest.PathEnd, "{id}", k.session(), 1)
		p.ask(t, "demo-admin", http.MethodPost, end, rest.EndRequest{Reason: "asked for by " + sub}, nil)
		k.over(t)
		p.ask(t, "demo-admin", http.MethodPost, strings.Replace(rest.PathRevokeUser, "{sub}", sub, 1), nil, nil)
	}
	var answers strings.Builder
	for _, path := range []string{
		rest.PathActive, rest.PathSessions, rest.PathLogs, rest.PathActivities, rest.PathAudit, rest.PathAlerts,
		rest.PathStats, rest.PathMonitorHealth, rest.PathMetrics, strings.Replace(rest.PathExport, "{what}", "logs", 1),
	} {
		answers.WriteString(p.text(t, path))
	}
	if !strings.Contains(answers.String(), "a•••@example.com") || !strings.Contains(answers.String(), "+90•••34") {
		t.Errorf("the two are not there, masked; what was looked at?\n%s", answers.String())
	}
	p.stop()
	p.finished(t)
	places := map[string]string{"an answer": answers.String(), "the log": strings.ReplaceAll(p.logs.String(), p.base, "itself"), "standard output": withoutLinks(p.out.String())}
	err := filepath.WalkDir(p.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		places[filepath.Base(path)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for place, content := range places {
		for _, secret := range append(secrets, "a=ice-pwd", "a=fingerprint", "ice-ufrag") {
			if i := strings.Index(content, secret); i >= 0 {
				t.Errorf("%s holds %q: …%q…", place, secret, content[max(0, i-60):min(len(content), i+60)])
			}
		}
	}
	if len(places) < 6 {
		t.Errorf("only %d places were searched", len(places))
	}
}

// withoutLinks takes the two links out that a demo server prints on purpose.
func withoutLinks(printed string) string {
	var rest strings.Builder
	for line := range strings.Lines(printed) {
		if !strings.Contains(line, "#token=") {
			rest.WriteString(line)
		}
	}
	return rest.String()
}

// text is an answer as an admin gets it.
func (p *program) text(t *testing.T, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.token(t, "demo-admin"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", path, res.StatusCode, err)
	}
	return string(body)
}

// areDescribed holds that METRICS.md has each metric of ours of a scrape, and that
// this server tells most of them.
func areDescribed(t *testing.T, scrape string) {
	t.Helper()
	page, err := os.ReadFile("metrics/METRICS.md")
	if err != nil {
		t.Fatal(err)
	}
	told := regexp.MustCompile(`(?m)^# TYPE (parley_\w+) (\w+)$`).FindAllStringSubmatch(scrape, -1)
	for _, m := range told {
		if !strings.Contains(string(page), "\n| `"+m[1]+"` | "+m[2]+" |") {
			t.Errorf("METRICS.md has no %s %s", m[2], m[1])
		}
	}
	if len(told) < 25 {
		t.Errorf("only %d metrics were told", len(told))
	}
}

// The guard on audio is asked by who keeps a turn, allows what stays within the
// call, and refuses more: counted, logged, alerted and on the call's receipt.
func TestTheGuardOnAudioIsAsked(t *testing.T) {
	t.Parallel()
	p := start(t)
	status := func() (s rest.Privacy) {
		p.ask(t, "demo-admin", http.MethodGet, rest.PathPrivacy, nil, &s)
		return s
	}
	k := p.talking(t, "ada", "parrot")
	k.say(t, 200*time.Millisecond, true)
	if a := status().Audio; a.Allowed != 1 || a.Held != 1 || a.Attempts != 1 || a.Blocked != 0 {
		t.Errorf("in a call: %+v", a)
	}
	for range 40 { // a second each, by its timestamps
		k.sent += 49
		k.say(t, frame, true)
	}
	eventually(t, "a refusal", func() bool { return status().Audio.Blocked == 1 })
	s := status()
	if len(s.Blocked) != 1 || s.Blocked[0].By != "parrot" || s.Blocked[0].Operation != "buffer" || s.Blocked[0].Session != k.session() || s.Protection != "active" {
		t.Errorf("%+v", s)
	}
	eventually(t, "an alert", func() bool {
		var alerts rest.Page[rest.Alert]
		p.ask(t, "demo-admin", http.MethodGet, rest.PathAlerts+"?state=firing", nil, &alerts)
		return slices.ContainsFunc(alerts.Items, func(a rest.Alert) bool { return a.Rule == "storage_attempts" })
	})
	metrics := p.text(t, rest.PathMetrics)
	if !strings.Contains(metrics, `parley_privacy_attempts_blocked_total{operation="buffer"} 1`) {
		t.Error("no metric counts it")
	}
	areDescribed(t, metrics)
	if logs := p.logs.String(); !strings.Contains(logs, "event=privacy operation=buffer by=parrot") {
		t.Errorf("not in the log:\n%s", logs)
	}
	p.ask(t, "demo-admin", http.MethodPost, strings.Replace(rest.PathEnd, "{id}", k.session(), 1), rest.EndRequest{Reason: "over"}, nil)
	k.over(t)
	eventually(t, "that nothing is held", func() bool { return status().Audio.Held == 0 })
	var over rest.SessionRecord
	p.ask(t, "ada", http.MethodGet, strings.Replace(rest.PathOwnSession, "{id}", k.session(), 1), nil, &over)
	if over.EndedAt == nil || over.Receipt.StorageAttempts != 1 || over.Receipt.AudioBytesStored != 0 {
		t.Errorf("the receipt %+v", over)
	}
}
