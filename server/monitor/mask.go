package monitor

import "parley/shared/rest"

// Mask takes people out of texts.
type Mask interface {
	Person(string) string
	Text(string) string
	Phone(string) string
	Email(string) string
	Address(string) string
}

// MaskKept masks what the picture holds of people, from a time in which nothing
// was masked, and has every reader of the stream start over: frames of that time
// are nobody's to replay.
func (m *Monitor) MaskKept(mask Mask) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, list := range [][]loggedActivity{m.activityLog.kept, m.activityLog.waiting} {
		for i := range list {
			maskActivity(mask, &list[i].Activity)
		}
	}
	for _, s := range m.sessions {
		maskSession(mask, &s.info)
	}
	for _, of := range m.others.sessions {
		maskSession(mask, &of.row)
		maskSession(mask, &of.told)
	}
	m.allView.frames.Forget()
	for _, v := range m.orgViews {
		v.frames.Forget()
	}
}

// AddUnmaskedActivity adds what an admin or a newcomer did, masked.
func (m *Monitor) AddUnmaskedActivity(mask Mask, a rest.Activity) {
	maskActivity(mask, &a)
	m.AddActivity(a)
}

func maskActivity(mask Mask, a *rest.Activity) {
	a.User, a.Name, a.Detail = mask.Person(a.User), mask.Text(a.Name), mask.Text(a.Detail)
	a.Phone, a.Email = mask.Phone(a.Phone), mask.Email(a.Email)
	a.Remote = mask.Address(a.Remote)
}

func maskSession(mask Mask, s *rest.Session) {
	s.User, s.Name, s.EndReason = mask.Person(s.User), mask.Text(s.Name), mask.Text(s.EndReason)
	s.Phone, s.Email = mask.Phone(s.Phone), mask.Email(s.Email)
	s.Remote = mask.Address(s.Remote)
}
