package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/shared/rest"
	"parley/shared/wire"
)

// personalForm is one form of personal data or of a token, and what of it nobody
// may read afterwards. A random one may be an opaque id: it stays in a subject.
type personalForm struct {
	Text     string
	Secrets  []string
	IsRandom bool
}

// readForms reads the corpus by which package privacy is tested, without secrets
// so short that they stand in any hash.
func readForms(t *testing.T) (forms []personalForm) {
	t.Helper()
	var corpus struct{ Forms, Tokens []personalForm }
	raw, err := os.ReadFile("privacy/testdata/corpus.json")
	if err == nil {
		err = json.Unmarshal(raw, &corpus)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(corpus.Forms, corpus.Tokens...) {
		kept := f.Secrets[:0]
		for _, secret := range f.Secrets {
			if len(secret) > 5 {
				kept = append(kept, secret)
			}
		}
		f.Secrets = kept
		forms = append(forms, f)
	}
	return forms
}

// TestTheCorpusThroughARunningServer brings every form to every place that takes
// words of somebody's, and reads all that can be read. While privacy mode is on,
// nothing of it is anywhere, on the disk and in the logs too; what came while it
// was off can't be read once it is on.
func TestTheCorpusThroughARunningServer(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"on", "off"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p := start(t, "--privacy="+mode, "--log-format=json", "--trusted-proxies=127.0.0.0/8", "--max-sessions=200", "--max-sessions-per-user=2")
			forms := readForms(t)
			admin := p.token(t, "demo-admin")
			watching := p.follow(t, admin, nil)
			first := next(t, watching)
			p.bring(t, forms)
			told := next(t, watching).data + next(t, watching).data
			if mode == "off" {
				watching.close()
				p.turnPrivacyOn(t)
			}
			texts := p.readAll(t, first.id)
			if mode == "on" {
				texts["the stream"] = told
				texts["standard output"], texts["the log"] = p.out.String(), p.logs.String()
				for path, content := range filesIn(t, p.dir) {
					texts[path] = content
				}
			}
			if !strings.Contains(texts[rest.PathSessions]+texts[rest.PathActive], "•••") || !strings.Contains(texts[rest.PathLogs], "•••") {
				t.Error("there is nothing masked: what was looked at?")
			}
			for _, f := range forms {
				for _, secret := range f.Secrets {
					for where, text := range texts {
						if at := strings.Index(text, secret); at >= 0 {
							t.Errorf("%s tells %q of %q: …%q…", where, secret, f.Text, text[max(0, at-100):min(len(text), at+60)])
						}
					}
				}
			}
		})
	}
}

func next(t *testing.T, s *stream) sseEvent {
	t.Helper()
	select {
	case e := <-s.events:
		return e
	case <-time.After(patience):
		t.Fatal("the stream tells nothing")
	}
	return sseEvent{}
}

// bring has every form in every place: subject, name, phone, e-mail, address,
// User-Agent, path, query, search, rule, reasons of an end and of a revocation.
func (p *program) bring(t *testing.T, forms []personalForm) {
	t.Helper()
	admin := p.token(t, "demo-admin")
	var rules []rest.AlertRule
	var reasons []string
	var tokens []string
	for i, f := range forms {
		claims := []string{"--sub=u" + fmt.Sprint(i), "--name=" + strings.ReplaceAll(f.Text, "\u200b", ""), "--phone=+905551234534", "--email=ada.lovelace@example.com"}
		if !f.IsRandom && !strings.ContainsFunc(f.Text, func(r rune) bool { return r <= ' ' || r > '~' }) {
			claims[0] = "--sub=" + f.Text
		}
		token := p.mint(t, claims...)
		tokens = append(tokens, token)
		p.callAs(t, token, f.Text)
		escaped := url.QueryEscape(f.Text)
		for _, path := range []string{
			"/" + url.PathEscape(f.Text), "/x/" + url.PathEscape(url.PathEscape(f.Text)) + "/y", "/api/v1/sessions/" + url.PathEscape(f.Text), "/call?q=" + escaped,
			"/" + f.Text,
		} {
			p.come(t, token, f.Text, http.MethodGet, path, nil)
		}
		for _, path := range []string{
			rest.PathLogs + "?q=" + escaped + "&user=" + escaped + "&path=/" + escaped, rest.PathSessions + "?user=" + escaped,
			rest.PathAudit + "?actor=" + escaped + "&target=" + escaped, rest.PathActivities + "?user=" + escaped + "&session=" + escaped,
			monitoring + "/connection/" + url.PathEscape(f.Text), monitoring + "/export/logs?format=csv&q=" + escaped,
		} {
			p.come(t, admin, f.Text, http.MethodGet, path, nil)
		}
		rules = append(rules, rest.AlertRule{ID: fmt.Sprint("r", i), Title: f.Text, Metric: rest.AlertPoorCalls, Above: 0.5, ForS: 60, Enabled: true})
		if i%4 == 0 {
			reasons = append(reasons, "")
		}
		reasons[len(reasons)-1] += f.Text + ", "
	}
	p.come(t, admin, "", http.MethodPut, rest.PathAlertRules, rest.AlertRules{Rules: rules, Webhooks: []rest.Webhook{}})
	for i, reason := range reasons {
		session := p.callAs(t, tokens[i], forms[i].Text) // the first one may have ended for want of an offer
		p.come(t, admin, "", http.MethodPost, monitoring+"/sessions/"+session+"/end", rest.EndRequest{Reason: reason})
		p.come(t, admin, "", http.MethodPost, monitoring+"/sessions/"+session+"/revoke", map[string]any{"reason": reason})
		p.come(t, admin, "", http.MethodPost, monitoring+"/users/"+url.PathEscape(forms[i].Text)+"/revoke", nil)
	}
}

// come asks for something, as somebody who writes the text wherever a header takes
// it. Only what the server can't have understood is no matter here.
func (p *program) come(t *testing.T, token, text, method, path string, body any) {
	t.Helper()
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		sent = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, p.base, sent)
	if err != nil {
		t.Fatal(err)
	}
	if req.URL, err = url.Parse(p.base + path); err != nil { // written as nobody would
		req.URL, _ = url.Parse(p.base + "/" + url.PathEscape(path))
	}
	req.Header = http.Header{"Authorization": {"Bearer " + token}, "X-Forwarded-For": {"203.0.113.77"}, "Content-Type": {"application/json"}}
	req.Header.Set("User-Agent", text)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	if body != nil && res.StatusCode >= 300 {
		t.Errorf("%s %s: %d %s", method, path, res.StatusCode, answer)
	}
}

// callAs opens a session that stays, and returns its id.
func (p *program) callAs(t *testing.T, token, agent string) string {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, HandshakeTimeout: patience}
	conn, res, err := dialer.Dial("ws"+strings.TrimPrefix(p.base, "http")+rest.PathSocket, http.Header{
		"Authorization": {"Bearer " + token}, "X-Forwarded-For": {"203.0.113.77"}, "User-Agent": {agent},
	})
	if err != nil {
		t.Fatalf("%q: %v %v", agent, err, res)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return receive[wire.Hello](&socket{conn, t}).SessionID
}

func (p *program) turnPrivacyOn(t *testing.T) {
	t.Helper()
	if got := p.ask(t, "demo-admin", http.MethodPatch, rest.PathSettings, map[string]any{rest.SettingPrivacy: true, "reason": "on again"}, nil); got != http.StatusOK {
		t.Fatalf("privacy mode isn't turned on: %d", got)
	}
}

// readAll is what an admin can read: every list and export, a stream begun anew,
// and one that goes on from a cursor of before.
func (p *program) readAll(t *testing.T, cursor string) map[string]string {
	t.Helper()
	texts := make(map[string]string)
	for _, path := range []string{
		rest.PathActive, rest.PathSessions, rest.PathLogs, rest.PathActivities, rest.PathAudit, rest.PathAlerts, rest.PathAlertRules, rest.PathRevocations,
		rest.PathDeliveries, rest.PathUsage + "?group=user", rest.PathAgents, rest.PathStats, rest.PathPrivacy, rest.PathSettings, rest.PathMonitorHealth, rest.PathMetrics,
	} {
		texts[path] = p.text(t, path)
		switch path {
		case rest.PathSessions, rest.PathLogs, rest.PathActivities, rest.PathAudit:
			texts[path] += p.text(t, path+"?limit=500")
		}
	}
	for _, what := range []string{"logs", "audit", "sessions", "activities", "usage"} {
		for _, format := range []string{"ndjson", "csv", "json"} {
			path := strings.Replace(rest.PathExport, "{what}", what, 1) + "?format=" + format
			texts[path] = p.text(t, path)
		}
	}
	admin := p.token(t, "demo-admin")
	anew, on := p.follow(t, admin, nil), p.follow(t, admin, http.Header{"Last-Event-ID": {cursor}})
	// A stream tells what changes, and by now the calls of before may all be over.
	p.callAs(t, p.mint(t, "--sub=late", "--phone=+905551234534", "--email=ada.lovelace@example.com"), "ada.lovelace@example.com")
	texts["a stream"] = next(t, anew).data + next(t, anew).data
	texts["a stream that goes on"] = next(t, on).data + next(t, on).data
	return texts
}

func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[filepath.Base(path)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
