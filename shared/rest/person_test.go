package rest_test

import "parley/shared/rest"

// personData has one row of each list.
func personData() rest.PersonData {
	turns := sessionTurns()
	return rest.PersonData{
		User: "ada", Org: "acme", MadeAt: at(1), Logs: []rest.LogEntry{logEntry()}, Activities: []rest.Activity{activity()},
		Alerts: []rest.Alert{firing()}, Audit: []rest.AuditEntry{auditEntry()}, Complete: true,
		Revocations: []rest.Revocation{{ID: 1, User: "ada", Org: "acme", Block: true, Since: at(7), By: "root", Reason: "a stolen phone"}},
		Sessions: []rest.PersonSession{{
			SessionRecord: record(), Usage: rest.Usage{Responses: 3}, Streams: []rest.StreamQuality{{Leg: "caller", PacketsReceived: 980}},
			Turns: turns.Latest, Interruptions: turns.LatestInterruptions, ToolUses: []rest.ToolUse{{At: at(8), Session: "s_1", Tool: "opening_hours", Result: "ok"}},
		}},
	}
}
