package api_test

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"parley/server/api"
	"parley/server/auth"
	"parley/shared/rest"
	"parley/shared/wire"
)

const exports = "/api/v1/monitoring/export/"

// TestExportsAreFilteredAsTheListIs, in each form, whole, and on record.
func TestExportsAreFilteredAsTheListIs(t *testing.T) {
	r := newRig(t, nil)
	r.fillLogs(450) // more than two pages of an export
	got := r.get(exports + "logs?user=bob&status=3xx")
	list := read[rest.Page[rest.LogEntry]](t, r.get(rest.PathLogs+"?user=bob&status=3xx&limit=500"))
	if kind, name := got.header.Get("Content-Type"), got.header.Get("Content-Disposition"); kind != "application/x-ndjson" ||
		!strings.HasPrefix(name, `attachment; filename="parley-logs-`) || !strings.HasSuffix(name, `.ndjson"`) {
		t.Errorf("%s, %s", kind, name)
	}
	lines := strings.Split(strings.TrimSuffix(string(got.body), "\n"), "\n")
	if len(lines) != len(list.Items) || len(lines) != 113 {
		t.Fatalf("%d lines, %d in the list", len(lines), len(list.Items))
	}
	for i, line := range lines {
		var e rest.LogEntry
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.ID != list.Items[i].ID {
			t.Fatalf("line %d: %v %s", i, err, line)
		}
	}
	got = r.get(exports + "logs?format=csv&user=bob&status=3xx")
	rows, err := csv.NewReader(strings.NewReader(string(got.body))).ReadAll()
	if err != nil || len(rows) != 114 || got.header.Get("Content-Type") != "text/csv; charset=utf-8; header=present" {
		t.Fatalf("%v, %d rows as %s", err, len(rows), got.header.Get("Content-Type"))
	}
	if strings.Join(rows[0], ",") != "id,t,kind,method,path,route,status,duration_ms,user,org,remote,session,request_id,node,bytes,user_agent,code,count" {
		t.Errorf("columns %v", rows[0])
	}
	if rows[1][12] != list.Items[0].RequestID || rows[1][1] != list.Items[0].T.UTC().Format("2006-01-02T15:04:05.000Z") || rows[1][6] != "300" {
		t.Errorf("row %v, want %+v", rows[1], list.Items[0])
	}
	whole := read[[]rest.LogEntry](t, r.get(exports+"logs?format=json&user=bob&status=3xx"))
	if len(whole) != 113 || whole[0].ID != list.Items[0].ID || whole[112].ID != list.Items[112].ID {
		t.Errorf("%d lines as JSON", len(whole))
	}
	got = r.get(exports + "logs?format=csv&user=bob&status=3xx")
	end, start := r.record()[0], r.record()[1]
	if start.Details["stage"] != "begun" || end.Details["stage"] != "finished" || asNumber(end.Details["rows"]) != 113 ||
		end.Action != rest.AuditExport || end.Target != "logs" || end.Details["format"] != "csv" || end.Outcome != "done" ||
		fmt.Sprint(end.Details["filters"]) != "map[format:csv status:3xx user:bob]" {
		t.Errorf("on record: %+v, %+v", start, end)
	}
}

// TestEveryExport has each column of its resource, and one row each.
func TestEveryExport(t *testing.T) {
	r := newRig(t, nil)
	r.fillLogs(1)
	s1 := r.call("alice@example.org", "")
	r.end(s1, wire.AdminEnded, "a, \"b\"\nc")
	r.call("bob@example.org", "")
	if err := r.store.AppendActivities(context.Background(), []rest.Activity{{At: r.moment(1), Kind: rest.ActivityCall, What: rest.CallStarted}}); err != nil {
		t.Fatal(err)
	}
	if err := r.audit.Record(context.Background(), rest.AuditEntry{Actor: "root", Action: rest.AuditSignIn}); err != nil {
		t.Fatal(err)
	}
	for what, columns := range map[string]string{
		"logs":       "request_id",
		"audit":      "id,seq,t,actor,actor_org,org,remote,action,target,outcome,reason,request_id,node,details,prev_hash,hash",
		"activities": "at,kind,what,user,name,phone,email,remote,org,session,detail",
		"sessions":   "quality_summary_rtt_ms_avg",
		"active":     "id,user",
	} {
		rows, err := csv.NewReader(strings.NewReader(string(r.get(exports + what + "?format=csv").body))).ReadAll()
		if err != nil || len(rows) < 2 || !strings.Contains(strings.Join(rows[0], ","), columns) {
			t.Errorf("%s: %v %v", what, err, rows)
		}
		for _, line := range strings.Split(strings.TrimSpace(string(r.get(exports+what).body)), "\n") {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: %s", what, line)
			}
		}
	}
	sessions := string(r.get(exports + "sessions?format=csv").body)
	if !strings.Contains(sessions, "\"a, \"\"b\"\"\nc\"") || strings.Contains(sessions, "alice") || strings.Contains(sessions, "UserKey") {
		t.Error(sessions)
	}
	for format, nothing := range map[string]string{"ndjson": "", "json": "[]\n"} {
		if got := string(r.get(exports + "activities?session=none&format=" + format).body); got != nothing {
			t.Errorf("nothing as %s is %q", format, got)
		}
	}
}

// TestExportsAreHarmlessInASpreadsheet: no cell begins a formula, whatever a
// stranger wrote.
func TestExportsAreHarmlessInASpreadsheet(t *testing.T) {
	r := newRig(t, nil)
	evil := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=1", " =1", "＝1", "=cmd|' /C calc'!A0", `=HYPERLINK("http://x","y")`}
	var lines []rest.LogEntry
	for _, s := range evil {
		lines = append(lines, rest.LogEntry{T: r.moment(1), Kind: rest.LogAPI, Method: "GET", Path: s, UserAgent: s, Status: 200, Node: "a"})
	}
	if err := r.store.AppendLogs(context.Background(), lines); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(r.get(exports + "logs?format=csv").body))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, row := range rows[1:] {
		for _, cell := range row {
			if first, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, " ")); strings.ContainsRune("=+-@\t\r\n＝", first) {
				t.Errorf("a cell runs: %q", cell)
			}
		}
		found = append(found, strings.TrimPrefix(row[4], "'"))
	}
	slices.Sort(found)
	slices.Sort(evil)
	if strings.ReplaceAll(strings.Join(found, "|"), "\r", "") != strings.ReplaceAll(strings.Join(evil, "|"), "\r", "") {
		t.Errorf("%q, want %q", found, evil) // the reader drops a CR before a line's end
	}
}

func TestExportOfAnOrganization(t *testing.T) {
	r := newRigIn(t, auth.Config{Mode: auth.Organization}, nil)
	r.fillLogs(4)
	ours := r.call("alice", "acme")
	theirs := r.call("bob", "globex")
	for _, id := range []string{ours, theirs} {
		r.end(id, wire.AdminEnded, "x")
	}
	anna := bearer(r.tokenOf(auth.Claims{Subject: "anna", Org: "acme", Role: auth.RoleOrgAdmin}, time.Hour))
	for what, want := range map[string]int{"logs": 2, "sessions": 1} {
		body := string(r.do("GET", exports+what, "", anna).body)
		if strings.Count(body, "\n") != want || strings.Contains(body, "globex") {
			t.Errorf("%s: %s", what, body)
		}
	}
	if body := string(r.do("GET", exports+"audit", "", anna).body); strings.Contains(body, "root") || !strings.Contains(body, "anna") {
		t.Errorf("audit: %s", body)
	}
}

func TestExportProblems(t *testing.T) {
	r := newRig(t, nil)
	for query, status := range map[string]int{
		"logs?format=xml": 422, "logs?status=x": 422, "logs?limit=5": 422, "logs?cursor=a": 422, "people": 404, "audit?outcome=maybe": 422,
		"sessions?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z": 422,
	} {
		if got := r.get(exports + query); got.status != status {
			t.Errorf("%s: %d", query, got.status)
		}
	}
	if n := len(r.record()); n != 0 {
		t.Errorf("%d lines on record", n)
	}
}

// endless gives pages without an end, and counts them.
type endless struct {
	api.LogReader
	asked chan string
	fail  error  // of the fourth page
	last  string // the cursor of the last page, if there is one
}

func (e endless) Logs(ctx context.Context, q rest.LogQuery) ([]rest.LogEntry, string, error) {
	select {
	case e.asked <- q.Cursor:
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
	if e.fail != nil && q.Cursor == "ccc" {
		return nil, "", e.fail
	}
	next := q.Cursor + "c"
	if e.last != "" && q.Cursor == e.last {
		next = ""
	}
	return slices.Repeat([]rest.LogEntry{{Path: strings.Repeat("x", 300)}}, q.Limit), next, nil
}

// TestExportEndsWithItsClient: pages are asked for as they are taken, no more
// after the client has gone, and that is on record.
func TestExportEndsWithItsClient(t *testing.T) {
	pages := endless{asked: make(chan string)}
	r := newRig(t, func(c *api.Config) { c.Logs = pages })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	answered := make(chan *http.Response)
	go func() {
		answered <- r.open("GET", exports+"logs", "", r.as("root"), func(req *http.Request) { *req = *req.WithContext(ctx) })
	}()
	<-pages.asked
	res := <-answered
	defer res.Body.Close()
	if _, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	cancel()
	for deadline := time.Now().Add(20 * time.Second); r.newest(rest.AuditExport).Outcome != "failed"; {
		if time.Now().After(deadline) {
			t.Fatal("it goes on")
		}
	}
	select {
	case <-pages.asked:
		t.Error("it asks for more")
	default:
	}
	if e := r.newest(rest.AuditExport); e.Outcome != "failed" || e.Details["stage"] != "cut off" || asNumber(e.Details["rows"]) != 200 {
		t.Errorf("%+v", e)
	}
}

// TestHalfAnExportIsNotTakenForTheWhole: the connection is cut.
func TestHalfAnExportIsNotTakenForTheWhole(t *testing.T) {
	for name, test := range map[string]struct {
		pages endless
		fail  func(*rig)
	}{
		"the store fails":              {endless{fail: errors.New("disk gone")}, func(*rig) {}},
		"its end can't be on record":   {endless{last: "cccc"}, func(r *rig) { _ = r.store.Close() }},
		"the server closes in between": {endless{}, func(r *rig) { go r.api.Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			test.pages.asked = make(chan string)
			r := newRig(t, func(c *api.Config) { c.Logs = test.pages })
			answered := make(chan *http.Response)
			go func() { answered <- r.open("GET", exports+"logs", "", r.as("root")) }()
			<-test.pages.asked
			res := <-answered
			defer res.Body.Close()
			test.fail(r)
			over := make(chan error)
			go func() {
				_, err := io.Copy(io.Discard, res.Body)
				over <- err
			}()
			for {
				select {
				case <-test.pages.asked:
				case err := <-over:
					if !errors.Is(err, io.ErrUnexpectedEOF) {
						t.Errorf("the client is told %v", err)
					}
					return
				}
			}
		})
	}
}

func TestOpenExports(t *testing.T) {
	pages := endless{asked: make(chan string)}
	r := newRig(t, func(c *api.Config) { c.Logs = pages })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	begun, done := make(chan struct{}), make(chan struct{})
	for range api.MaxOpenExports {
		go func() {
			defer func() { done <- struct{}{} }()
			res := r.open("GET", exports+"logs", "", r.as("root"), func(req *http.Request) { *req = *req.WithContext(ctx) })
			begun <- struct{}{}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}()
		<-pages.asked
		for answered := false; !answered; {
			select {
			case <-pages.asked:
			case <-begun:
				answered = true
			}
		}
	}
	got := r.get(exports + "sessions")
	checkAnswer(t, got)
	if got.status != 429 {
		t.Errorf("one more: %d", got.status)
	}
	if other := r.do("GET", exports+"sessions", "", r.as("chief")); other.status != 200 {
		t.Errorf("another admin: %d", other.status)
	}
	cancel()
	for range api.MaxOpenExports {
		<-done
	}
	for deadline := time.Now().Add(20 * time.Second); r.get(exports+"sessions").status != 200; {
		if time.Now().After(deadline) {
			t.Fatal("the places are not given back")
		}
	}
}
