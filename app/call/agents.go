package call

import "parley/shared/rest"

// agent finds one of the agents that the caller may choose.
func (p Picture) agent(name string) (rest.Agent, bool) {
	if p.Admission.Answer != nil {
		for _, a := range p.Admission.Answer.Agents {
			if a.Name == name {
				return a, true
			}
		}
	}
	return rest.Agent{}, false
}

// agentToCall names the agent that the caller chose, or, if that isn't there any more,
// the first, which is the server's default. While nothing is known of agents it is
// what was chosen once.
func (p Picture) agentToCall() string {
	a := p.Admission.Answer
	if _, ok := p.agent(p.Choice.Agent); ok || a == nil || len(a.Agents) == 0 {
		return p.Choice.Agent
	}
	return a.Agents[0].Name
}

// mayHaveCaptions reports whether to listen for captions of the agent to call: unless it
// is known to have none. To listen costs nothing, and shows nothing until some come.
func (p Picture) mayHaveCaptions() bool {
	a, ok := p.agent(p.agentToCall())
	return a.Captions || !ok
}
