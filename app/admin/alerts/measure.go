// Package alerts owns the admins' pages of alerts: what fires and what did, with
// what one does about it, and the rules as sentences with fields in them. It
// raises nothing and judges nothing; the server does, by the rules that are saved.
package alerts

import (
	"math"
	"strconv"
	"strings"

	"parley/shared/rest"
)

// measure is what a rule may be about, in words.
type measure struct {
	metric  string
	title   string // of a new rule; {limit} stands for its limit
	when    string // "the share of poor calls"
	limit   string // what stands before the limit: "is above"; "": it has none to choose
	percent bool   // the limit is a share
	lasts   string // what stands before the time: "for"; "": there is none to choose
	least   string // what stands behind the least count: "live calls"; "": there is none

	above   float64 // of a new rule
	forS    int
	atLeast int
}

// measures are the closed set, the most common first.
func measures() []measure {
	return []measure{
		{metric: rest.AlertPoorCalls, title: "Poor calls above {limit}", when: "the share of poor calls", limit: "is above", percent: true, lasts: "for", least: "live calls", above: .1, forS: 180, atLeast: 5},
		{metric: rest.AlertPoorCall, title: "A call is poor", when: "one call is poor", lasts: "for", forS: 30},
		{metric: rest.AlertLiveOfCap, title: "Calls at {limit} of the cap", when: "the share of lines in use", limit: "reaches", percent: true, lasts: "for", least: "live calls", above: .9},
		{metric: rest.AlertSetupFailures, title: "Setup failures above {limit}", when: "the share of calls that fail to start", limit: "is above", percent: true, lasts: "within", least: "calls", above: .05, forS: 300, atLeast: 5},
		{metric: rest.AlertRefusedSignIns, title: "Failed sign-ins from one address", when: "failed sign-ins from one address", limit: "reach", lasts: "within", above: 10, forS: 300},
		{metric: rest.AlertStorageAttempts, title: "Storage attempt blocked", when: "blocked attempts to store audio", limit: "reach", lasts: "within", above: 1, forS: 60},
		{metric: rest.AlertLogFailures, title: "Access log is failing", when: "lost lines of the access log", limit: "reach", lasts: "within", above: 1, forS: 60},
		{metric: rest.AlertStreamsRefused, title: "Admin stream refused", when: "refused live streams of admins", limit: "reach", lasts: "within", above: 1, forS: 60},
		{metric: rest.AlertAuditChain, title: "The audit log is not what was written", when: "the chain of the audit log is broken", above: 1, forS: 1},
		{metric: rest.AlertCertificateDays, title: "The certificate ends in less than {limit} days", when: "the days that the certificate is good for", limit: "are below", above: 14},
		{metric: rest.AlertDiskUsed, title: "The disk is {limit} full", when: "the share of the disk in use", limit: "reaches", percent: true, lasts: "for", above: .9, forS: 60},
		{metric: rest.AlertCapRefusals, title: "Callers find all lines busy", when: "calls refused for all lines were busy", limit: "reach", lasts: "within", above: 5, forS: 60},
		{metric: rest.AlertStaleKeys, title: "The issuer's keys can't be fetched", when: "the issuer's keys can't be fetched", lasts: "for", above: 1, forS: 60},
		{metric: rest.AlertSlowAnswers, title: "First word over 2 s in {limit} of answers", when: "the share of answers whose first word takes over 2 s", limit: "is above", percent: true, lasts: "within", least: "answers", above: .05, forS: 300, atLeast: 20},
		{metric: rest.AlertAnomaly, title: "Not as usual at this hour", when: "something is worse than it usually is at this hour"},
	}
}

func measureOf(metric string) measure {
	for _, m := range measures() {
		if m.metric == metric {
			return m
		}
	}
	return measure{metric: metric, title: metric, when: metric, limit: "is above", lasts: "for", least: "calls"}
}

func (m measure) titleFor(limit string) string { return strings.Replace(m.title, "{limit}", limit, 1) }

// limitText is a limit as it stands in its field.
func (m measure) limitText(above float64) string {
	if m.percent {
		return strconv.FormatFloat(math.Round(above*1e6)/1e4, 'f', -1, 64) + " %"
	}
	return strconv.FormatFloat(above, 'f', -1, 64)
}

// readLimit reads what stands in the field; problem says what to use instead.
func (m measure) readLimit(text string) (above float64, problem string) {
	text = strings.TrimSpace(text)
	if m.percent {
		n, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
		if err != nil || n < 0 || n > 100 || math.IsNaN(n) || n == 0 && m.limit != "is above" {
			return 0, "Use 0 to 100 %."
		}
		return math.Round(n*1e4) / 1e6, ""
	}
	most := 1_000_000
	if m.metric == rest.AlertRefusedSignIns {
		most = 100
	}
	if m.metric == rest.AlertCertificateDays {
		most = 398
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, "Use 1 to " + strconv.Itoa(most) + "."
	}
	return float64(n), ""
}

// longest is how long a rule may look back, in seconds.
const longest = 3600

// spanText is a time as it stands in its field: 3 min, 30 s.
func spanText(seconds int) string {
	if seconds > 0 && seconds%60 == 0 {
		return strconv.Itoa(seconds/60) + " min"
	}
	return strconv.Itoa(seconds) + " s"
}

// readSpan reads 3 min, 30 s, or a bare number of seconds.
func (m measure) readSpan(text string) (seconds int, problem string) {
	number, unit := strings.TrimSpace(text), 1
	for _, u := range []struct {
		word string
		s    int
	}{{"minutes", 60}, {"minute", 60}, {"min", 60}, {"m", 60}, {"seconds", 1}, {"second", 1}, {"sec", 1}, {"s", 1}} {
		if cut, ok := strings.CutSuffix(number, u.word); ok {
			number, unit = strings.TrimSpace(cut), u.s
			break
		}
	}
	n, err := strconv.Atoi(number)
	least := 0
	if m.lasts == "within" {
		least = 1
	}
	if err != nil || n < 0 || n > longest || n*unit > longest || n*unit < least {
		return 0, "Use up to 60 min, such as 3 min or 30 s."
	}
	return n * unit, ""
}
