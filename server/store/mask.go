package store

import "parley/shared/rest"

// Mask takes people out of texts while privacy mode is on. The store masks what
// it reads for people to see: a row may be of a time when the mode was off. The
// chain of the audit log is checked on rows as they are.
type Mask interface {
	Address(string) string
	Phone(string) string
	Email(string) string
	Path(string) string
	Text(string) string
}

// unmasked is the Mask of a store that has none.
type unmasked struct{}

func (unmasked) Address(s string) string { return s }
func (unmasked) Phone(s string) string   { return s }
func (unmasked) Email(s string) string   { return s }
func (unmasked) Path(s string) string    { return s }
func (unmasked) Text(s string) string    { return s }

func maskTexts(m Mask, texts ...*string) {
	for _, text := range texts {
		*text = m.Text(*text)
	}
}

func maskAddress(m Mask, address *string) {
	if *address != "" {
		*address = m.Address(*address)
	}
}

func maskContact(m Mask, phone, email, address *string) {
	*phone, *email = m.Phone(*phone), m.Email(*email)
	maskAddress(m, address)
}

func maskLog(m Mask, e *rest.LogEntry) {
	maskTexts(m, &e.User, &e.Org, &e.Session, &e.UserAgent)
	e.Path = m.Path(e.Path)
	maskAddress(m, &e.Remote)
}

func maskSession(m Mask, r *rest.SessionRecord) {
	maskTexts(m, &r.User, &r.Name, &r.Org, &r.EndReason)
	maskContact(m, &r.Phone, &r.Email, &r.Remote)
}

func maskActivity(m Mask, a *rest.Activity) {
	maskTexts(m, &a.User, &a.Name, &a.Org, &a.Detail)
	maskContact(m, &a.Phone, &a.Email, &a.Remote)
}

func maskAlert(m Mask, a *rest.Alert) { maskTexts(m, &a.Title, &a.Detail, &a.AcknowledgedBy) }

func maskAudit(m Mask, e *rest.AuditEntry) {
	maskTexts(m, &e.Actor, &e.ActorOrg, &e.Org, &e.Reason, &e.RequestID)
	e.Target = m.Path(e.Target)
	maskAddress(m, &e.Remote)
	if e.Details != nil {
		e.Details = maskDetails(m, e.Details)
	}
}

// maskDetails masks values, and keys, which may be data.
func maskDetails(m Mask, details map[string]any) map[string]any {
	masked := make(map[string]any, len(details))
	for key, value := range details {
		if !isServerMade(key) {
			value = maskValue(m, value)
		}
		masked[m.Text(key)] = value
	}
	return masked
}

// isServerMade tells the details that hold hashes, which look like tokens.
func isServerMade(key string) bool { return key == "anchor_hash" || key == "hash" || key == "user_key" }

func maskValue(m Mask, v any) any {
	switch v := v.(type) {
	case string:
		if isRowID(v) {
			return v
		}
		return m.Text(v)
	case []any:
		for i := range v {
			v[i] = maskValue(m, v[i])
		}
	case map[string]any:
		return maskDetails(m, v)
	}
	return v
}

// isRowID tells the number of a row, which has more digits than a phone's.
func isRowID(s string) bool {
	const leastDigits = 16 // E.164 has 15 at most
	if len(s) < leastDigits {
		return false
	}
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}
