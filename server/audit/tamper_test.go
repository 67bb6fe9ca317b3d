package audit_test

import (
	"fmt"
	"strings"
	"testing"

	"parley/server/audit"
	"parley/server/store"
	"parley/shared/rest"
)

const (
	lines  = 12 // of the log that is tampered with
	victim = 5
)

func update(set string) []string {
	return []string{fmt.Sprintf("UPDATE audit SET %s WHERE seq = %d", set, victim)}
}

// move renumbers, by a detour that no two lines share a number on.
func move(cond, to string) []string {
	return []string{"UPDATE audit SET seq = -(" + to + ") WHERE " + cond, "UPDATE audit SET seq = -seq WHERE seq < 0"}
}

const copyOf = "INSERT INTO audit SELECT (SELECT max(id) FROM audit) + 1, %d, t, 'eve', actor_org, org, remote, action, target, outcome, reason, request_id, node, details, prev_hash, hash FROM audit WHERE seq = %d"

func TestTamperingIsFoundWhereItBegan(t *testing.T) {
	for name, c := range map[string]struct {
		statements []string
		broken     int64
		fault      string
	}{
		"nothing was done": {nil, 0, ""},

		"id":         {update("id = id + 1"), victim, "changed"},
		"t":          {update("t = t + 1"), victim, "changed"},
		"actor":      {update("actor = 'eve'"), victim, "changed"},
		"actor_org":  {update("actor_org = ''"), victim, "changed"},
		"org":        {update("org = 'acme'"), victim, "changed"},
		"remote":     {update("remote = ''"), victim, "changed"},
		"action":     {update("action = 'export'"), victim, "changed"},
		"target":     {update("target = target || ' '"), victim, "changed"},
		"outcome":    {update("outcome = 'denied'"), victim, "changed"},
		"reason":     {update("reason = 'an order'"), victim, "changed"},
		"request_id": {update("request_id = 'other'"), victim, "changed"},
		"node":       {update("node = 'n2'"), victim, "changed"},
		"prev_hash":  {update("prev_hash = hash"), victim, "changed"},
		"hash":       {update("hash = prev_hash"), victim, "changed"},

		"details":             {update(`details = replace(details, '"rows":4', '"rows":3')`), victim, "changed"},
		"details gone":        {update("details = ''"), victim, "changed"},
		"details no JSON":     {update("details = 'nobody'"), victim, "changed"},
		"details and more":    {update("details = details || '{}'"), victim, "changed"},
		"a detail twice":      {update(`details = replace(details, '{"ids"', '{"ids":["x"],"ids"')`), victim, "changed"},
		"details with spaces": {update("details = ' ' || details"), victim, "changed"},
		"the first":           {[]string{"UPDATE audit SET actor = 'eve' WHERE seq = 1"}, 1, "changed"},
		"the last":            {[]string{fmt.Sprint("UPDATE audit SET actor = 'eve' WHERE seq = ", lines)}, lines, "changed"},

		"one removed in the middle": {[]string{fmt.Sprint("DELETE FROM audit WHERE seq = ", victim)}, victim, "missing"},
		"the first removed":         {[]string{"DELETE FROM audit WHERE seq = 1"}, 1, "missing"},
		"the last removed":          {[]string{fmt.Sprint("DELETE FROM audit WHERE seq = ", lines)}, lines, "missing"},
		"the last three removed":    {[]string{fmt.Sprint("DELETE FROM audit WHERE seq > ", lines-3)}, lines - 2, "missing"},
		"all removed":               {[]string{"DELETE FROM audit"}, 1, "missing"},
		"removed and closed up": {append([]string{fmt.Sprint("DELETE FROM audit WHERE seq = ", victim)},
			move(fmt.Sprint("seq > ", victim), "seq - 1")...), victim, "changed"},

		"one added at the end": {[]string{fmt.Sprintf(copyOf, lines+1, lines)}, lines + 1, "changed"},
		"one added in the middle": {append(move(fmt.Sprint("seq >= ", victim), "seq + 1"), fmt.Sprintf(copyOf, victim, victim+1)),
			victim, "changed"},
		"two swapped": {move(fmt.Sprintf("seq IN (%d, %d)", victim, victim+1), fmt.Sprint(2*victim+1, " - seq")), victim, "changed"},

		"deleted as if by retention": {[]string{
			fmt.Sprintf("UPDATE audit_anchor SET seq = %d, hash = (SELECT hash FROM audit WHERE seq = %[1]d)", victim),
			fmt.Sprint("DELETE FROM audit WHERE seq <= ", victim),
		}, victim + 1, "not by retention"},
		"an anchor of another hash": {[]string{
			fmt.Sprintf("UPDATE audit_anchor SET seq = %d, hash = 'ab'", victim), fmt.Sprint("DELETE FROM audit WHERE seq <= ", victim),
		}, victim + 1, "not written after"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.record(lines)
			r.stop()
			tamper(t, r.dir, c.statements...)
			report := verify(t, r.dir, true)
			if report.BrokenAt != c.broken || !strings.Contains(report.Fault, c.fault) || report.Intact() != (c.broken == 0) {
				t.Errorf("%v, want broken at %d: %s", report, c.broken, c.fault)
			}
			if c.broken == 0 && (report.Lines != lines || report.Head.Seq != lines) {
				t.Errorf("%+v", report)
			}
		})
	}
}

// verify checks a directory as the command does, whether its server runs or not.
func verify(t *testing.T, dir string, withHead bool) audit.Report {
	t.Helper()
	ledger, err := store.OpenAuditReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	var noted audit.Head
	if withHead {
		if noted, err = audit.HeadIn(dir).Load(); err != nil || noted.Seq != lines {
			t.Fatalf("head %+v, %v", noted, err)
		}
	}
	report, err := audit.Check(t.Context(), ledger, noted)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// What a chain alone can't show, and a head that was noted does.
func TestAHeadShowsWhatTheChainCannot(t *testing.T) {
	for name, forge := range map[string]func(t *testing.T, dir string){
		"lines cut off the end": func(t *testing.T, dir string) { tamper(t, dir, fmt.Sprint("DELETE FROM audit WHERE seq > ", victim)) },
		"all written anew":      forgeAll,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.record(lines)
			r.stop()
			forge(t, r.dir)
			if report := verify(t, r.dir, false); !report.Intact() {
				t.Errorf("found without a head: %v", report)
			}
			if report := verify(t, r.dir, true); report.Intact() {
				t.Error("not found with the head")
			}
		})
	}
}

// forgeAll changes a line and hashes it and all that follow as they should be.
func forgeAll(t *testing.T, dir string) {
	tamper(t, dir)
	ledger, err := store.OpenAuditReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []rest.AuditEntry
	err = ledger.AuditAll(t.Context(), 1, func(e rest.AuditEntry) error {
		all = append(all, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	db := raw(t, dir)
	defer db.Close()
	prev := ""
	for _, e := range all {
		if e.Seq == victim {
			e.Actor = "eve"
		}
		hash := audit.Seal(prev, e)
		if _, err := db.Exec("UPDATE audit SET actor = ?, prev_hash = ?, hash = ? WHERE seq = ?", e.Actor, prev, hash, e.Seq); err != nil {
			t.Fatal(err)
		}
		prev = hash
	}
}

// A line that isn't even readable ends the check, with where that was.
func TestALineThatCannotBeReadIsNamed(t *testing.T) {
	r := newRig(t)
	r.record(lines)
	tamper(t, r.dir, update("t = 'yesterday'")...)
	_, err := audit.Check(t.Context(), r.store)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint("after entry ", victim-1)) {
		t.Error(err)
	}
}

// A running server remembers what it wrote.
func TestARunningServerMissesItsLastLine(t *testing.T) {
	for name, c := range map[string]struct {
		cut, more int
		broken    int64
		atOnce    bool // noticed before anybody verifies
	}{
		"the last":                   {1, 0, lines, false},
		"the last, and another came": {1, 1, lines, true},
		"three, and two came":        {3, 2, lines, false},
		"three, and four came":       {3, 4, lines, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.record(lines)
			if at := r.broken(); at != 0 {
				t.Fatalf("broken at %d before anything was done", at)
			}
			tamper(t, r.dir, fmt.Sprint("DELETE FROM audit WHERE seq > ", lines-c.cut))
			r.record(c.more)
			if got := !r.Chain().Intact; got != c.atOnce {
				t.Errorf("noticed at once: %v", got)
			}
			if at := r.broken(); at != c.broken {
				t.Errorf("broken at %d, want %d", at, c.broken)
			}
			r.stop()
			r.start() // and the next life still knows
			if at := r.broken(); c.more > 0 && at == 0 {
				t.Error("forgotten after a restart")
			}
		})
	}
}

func TestAReportSaysItInOneLine(t *testing.T) {
	for want, r := range map[string]audit.Report{
		"audit log intact: 3 entries, head 7 ab, begins after entry 4, which retention deleted": {Anchor: audit.Head{Seq: 4, Hash: "cd"}, Head: audit.Head{Seq: 7, Hash: "ab"}, Lines: 3},
		"audit log intact: 1 entries, head 1 ab":                                                {Head: audit.Head{Seq: 1, Hash: "ab"}, Lines: 1},
		"audit log broken at entry 5: it is missing":                                            {BrokenAt: 5, Fault: "it is missing"},
	} {
		if got := r.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
