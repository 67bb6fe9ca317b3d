package alert

import "time"

// Judge gives the rules one second, as Run does.
func (a *Alerts) Judge(now time.Time) { a.tick(now) }
