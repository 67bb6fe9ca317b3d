package admin

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// anomalies tells what is worse than it usually is at this hour; where nothing is, there is
// nothing to see. The sentences are the server's.
func anomalies(all []rest.Anomaly, now time.Time) app.UI {
	if len(all) == 0 {
		return load.Slot("anomalies", nil)
	}
	items := make([]app.UI, len(all))
	for i, a := range all {
		items[i] = app.Li().Class("anomaly").Body(
			ui.Icon(ui.IconAlert),
			app.Span().Text(a.Text),
			app.Span().Class("anomaly-age", "num").Text(ui.Age(now.Sub(a.Since))),
		)
	}
	return load.Slot("anomalies", panel("Not as usual", app.Ul().Class("anomaly-list").Body(items...)))
}
