package session

import "math"

// Places are those that this server shares with others. It counts its own besides.
type Places interface {
	// Take takes one under the caps in force, which release gives back at once and without
	// waiting. It may have to ask others, within a bound of its own. Its error is a
	// *Refusal.
	Take(c Caller, set Settings) (release func(), err error)
	// Free returns how many calls like this one may begin now, over all servers, and takes
	// nothing. Its error is the *Refusal of Take.
	Free(c Caller, set Settings) (free int, err error)
	// Replace ends a session that another server has of the same account, and reports
	// whether there was one.
	Replace(c Caller) bool
}

// ownPlaces are of a server that shares them with nobody.
type ownPlaces struct{}

func (ownPlaces) Take(Caller, Settings) (func(), error) { return func() {}, nil }
func (ownPlaces) Free(Caller, Settings) (int, error)    { return math.MaxInt, nil }
func (ownPlaces) Replace(Caller) bool                   { return false }
