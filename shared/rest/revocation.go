package rest

import "time"

// RevokeRequest is the body of POST …/users/{sub}/revoke and
// …/sessions/{id}/revoke, which may be left out.
type RevokeRequest struct {
	// Block refuses all of the person's tokens until it is taken back, not only
	// those that were issued before now.
	Block  bool   `json:"block,omitempty"`
	Reason string `json:"reason,omitempty" maxLength:"300"` // MaxReason; for the record
}

// Revoked is the answer: what took effect.
type Revoked struct {
	ID            int64     `json:"id,string"` // of the revocation
	Ended         int       `json:"ended"`     // live sessions
	RefusedBefore time.Time `json:"refused_before"`
	Block         bool      `json:"block"` // later tokens are refused, too
}

// Revocation is one line of GET …/revocations: whose tokens are refused.
type Revocation struct {
	ID    int64     `json:"id,string"`     // takes it back, and is the cursor
	User  string    `json:"user"`          // masked in privacy mode
	Org   string    `json:"org,omitempty"` // it holds for the tokens of this organization alone
	Block bool      `json:"block"`         // all tokens; else those issued before Since
	Since time.Time `json:"since"`
	By    string    `json:"by"` // masked in privacy mode
	// Reason is what the admin said, if anything.
	Reason string `json:"reason,omitempty"`
	// UserKey is what the person's tokens are found by; it never leaves the server.
	UserKey string `json:"-"`
}

// RevocationQuery asks for revocations, the last made first.
type RevocationQuery struct {
	UserKey string // only of this person
	Org     string // only of this organization
	Cursor  string // NextCursor of the page before
	Limit   int    // DefaultLimit if it is 0, at most MaxLimit
}

// RevealRequest is the body of POST …/sessions/{id}/reveal.
type RevealRequest struct {
	Reason string `json:"reason" minLength:"1" maxLength:"300"` // MaxReason
}

// Person is who holds a live session, unmasked.
type Person struct {
	Subject string `json:"sub"`
	Name    string `json:"name,omitempty"`
	Phone   string `json:"phone,omitempty"`
	Email   string `json:"email,omitempty"`
	Remote  string `json:"remote"` // the address that the call comes from
	Org     string `json:"org,omitempty"`
}
