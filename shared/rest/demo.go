package rest

// Who one enters a demo server as.
const (
	DemoCaller = "caller"
	DemoAdmin  = "admin"
)

// DemoSignIn is the body of POST /api/v1/auth/demo.
type DemoSignIn struct {
	As      string `json:"as" enum:"caller,admin"`
	Passkey string `json:"passkey,omitempty" maxLength:"64" doc:"the admin's, as the server printed it at its start"`
}
