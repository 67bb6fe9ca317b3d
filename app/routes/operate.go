package routes

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/agents"
	"parley/app/admin/alerts"
	"parley/app/admin/nodes"
	"parley/app/admin/people"
	"parley/app/admin/privacy"
	"parley/app/admin/settings"
	"parley/app/admin/usage"
)

// The pages on which an admin runs the server. Without a client they get nil, and
// not an interface around nil: they are prerendered.

func (s *services) settingsNotice() app.UI {
	if s.client == nil {
		return settings.NewNotice(nil)
	}
	return settings.NewNotice(s.client)
}

func settingsPage(s *services, _ string) app.UI {
	if s.client == nil {
		return settings.New(nil)
	}
	return settings.New(s.client)
}

func alertsPage(s *services, _ string) app.UI {
	if s.client == nil {
		return alerts.New(nil)
	}
	return alerts.New(s.client)
}

func alertRulesPage(s *services, _ string) app.UI {
	if s.client == nil {
		return alerts.NewRules(nil)
	}
	return alerts.NewRules(s.client)
}

func privacyPage(s *services, _ string) app.UI {
	if s.client == nil {
		return privacy.New(nil)
	}
	return privacy.New(s.client)
}

func peoplePage(s *services, _ string) app.UI {
	if s.client == nil {
		return people.New(nil)
	}
	return people.New(s.client)
}

func agentsPage(s *services, _ string) app.UI {
	if s.client == nil {
		return agents.New(nil)
	}
	return agents.New(s.client)
}

func nodesPage(s *services, _ string) app.UI {
	if s.client == nil {
		return nodes.New(nil)
	}
	return nodes.New(s.client)
}

func usagePage(s *services, _ string) app.UI {
	if s.client == nil {
		return usage.New(nil)
	}
	return usage.New(s.client)
}
