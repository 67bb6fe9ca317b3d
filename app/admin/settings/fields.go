// Package settings owns the admins' page of the run-time settings: its fields from
// data, what is typed over them, the diff before it is saved and what to do when
// somebody else was faster. Ranges and defaults are the server's; it decides.
package settings

import "parley/shared/rest"

// field says what one setting is called here, and what it does.
type field struct{ name, label, does string }

// section is a part of the page.
type section struct {
	title  string
	fields []field
}

// sections are the page. Privacy is turned off on a page of its own.
func sections() []section {
	return []section{
		{"Monitoring", []field{
			{rest.SettingMonitoring, "Monitoring", "Live data, activities and the access log. Calls, limits, privacy and the audit log go on without it."},
		}},
		{"Sessions", []field{
			{rest.SettingIdleTimeout, "Idle timeout", "A call ends when nothing was said for this long."},
			{rest.SettingIdleWarning, "Warning before it", "The caller is asked whether they are still there."},
			{rest.SettingMaxDuration, "Longest call", "A call ends at this length, whatever is said."},
			{rest.SettingMaxSessions, "Calls at the same time", "Who comes when all lines are in use has to wait."},
			{rest.SettingMaxPerUser, "Calls of one user", "At the same time, over all devices."},
			{rest.SettingMaxPerOrg, "Calls of one organization", "At the same time, over all its people. Its own admins can't change it."},
			{rest.SettingOrgCaps, "Organizations of their own cap", "Such as acme=20, globex=5, in place of the one above; 0 is none."},
			{rest.SettingPaused, "Pause new calls", "Nobody can start a call, and is told so. Calls that are on go on."},
		}},
		{"Logs", []field{
			{rest.SettingLogRetention, "Access log is kept", "Older lines are deleted each day."},
			{rest.SettingAuditRetention, "Audit log is kept", "Older lines are deleted each day; the chain stays verifiable."},
		}},
		{"Access", []field{
			{rest.SettingAdminAllow, "Admins come from", "Addresses and networks, such as 10.0.0.0/8, with commas between. Empty: from anywhere."},
		}},
	}
}

// fixedField is what is set when the server starts, or by nobody: then value is what it is.
type fixedField struct{ label, flag, value string }

func fixedFields() []fixedField {
	return []fixedField{
		{"Who may be admin", "mode", ""},
		{"Live pages that an admin may open", "", "10 a minute"},
		{"A live page's stream is renewed after", "stream-lifetime", ""},
		{"Who is cut off may come back within", "reconnect-grace", ""},
		{"Quality bands begin at, of 100", "", "excellent 80, good 70, fair 60 (ITU-T G.109)"},
		{"Least level of the server's own log", "log-level", ""},
		{"The record is in", "database", ""},
		{"Access log and audit log also go to", "log-export", ""},
		{"Traces and metrics also go to", "otlp-endpoint", ""},
	}
}

// names are those of all fields, in the order of the page.
func names() (out []string) {
	for _, s := range sections() {
		for _, f := range s.fields {
			out = append(out, f.name)
		}
	}
	return out
}

// labelOf is what a setting is called; one of a newer server by its own name.
func labelOf(name string) string {
	for _, s := range sections() {
		for _, f := range s.fields {
			if f.name == name {
				return f.label
			}
		}
	}
	if name == rest.SettingPrivacy {
		return "Privacy mode"
	}
	return name
}
