package rest

// TotalsQuery asks for totals.
type TotalsQuery struct {
	Days int `query:"days" minimum:"1" maximum:"400" default:"30" doc:"how many days to tell one by one, those with calls alone"`
}

// Totals is GET …/sessions/totals: ended calls of all time, whatever was restarted or
// deleted since.
type Totals struct {
	Since   string     `json:"since,omitempty" doc:"the first day (UTC) with a call"`
	Calls   int64      `json:"calls"`
	Minutes float64    `json:"minutes"`
	Days    []DayTotal `json:"days"` // the newest first
}

// DayTotal is of the calls that began on a day (UTC).
type DayTotal struct {
	Day     string  `json:"day"`
	Calls   int64   `json:"calls"`
	Minutes float64 `json:"minutes"`
	Users   int64   `json:"users"` // who had one; of several organizations, in each
}
