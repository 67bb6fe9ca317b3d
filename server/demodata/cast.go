package demodata

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"parley/shared/rest"
)

// agents answer in demo data. They are none of the server's.
var agents = []string{"demo-support", "demo-booking", "demo-sales"}

// names are those of callers, each with the word that tells that nobody calls.
var names = strings.Fields(`Ada Bela Chen Dora Emil Farah Gita Hugo Ines Jonas Kemal Lena Mira Nils Omar
	Pia Quentin Rosa Sami Tove Uma Vito Wanda Xaver Yara Zeki Aino Bruno Carla Dario Elif Fritz`)

// person is a made-up caller. Numbers and addresses are of those that are set apart
// for examples (RFC 5737, RFC 2606, 555-01xx).
type person struct{ user, name, phone, email, remote, agent string }

// callerName is the subject of the caller whose link a demo server prints: some of the
// past calls are theirs, so that their own pages have something to show.
const callerName = "demo-caller"

// people is how many there are.
const people = 120

// newPerson is one of them, who calls one of the agents.
func newPerson(n int, r *rand.Rand) person {
	n %= people
	p := person{
		user: fmt.Sprintf(userFormat, n), name: names[n%len(names)] + " (demo)",
		phone: fmt.Sprintf("+1202555%04d", 100+n%100), remote: fmt.Sprintf("203.0.113.%d", 1+n*2%250),
		agent: agents[r.IntN(len(agents))],
	}
	p.email = p.user + "@example.com"
	return p
}

const userFormat = "demo-%03d"

// troubleOf is what is wrong with the calls of a person: always the same.
func troubleOf(user string) trouble {
	var n int
	if _, err := fmt.Sscanf(user, userFormat, &n); err != nil || n < 0 {
		return noTrouble
	}
	return troubles[n%len(troubles)]
}

// trouble is what is wrong with a call.
type trouble int

const (
	noTrouble trouble = iota
	losesUp           // packets of the caller's, in bursts
	losesDown
	isFar     // a long way: delay
	jitters   // Wi-Fi
	agentSlow // the line is fine
	reconnects
	staysQuiet // muted, nobody speaks
)

// troubles are those of people by their number: as many of each as there are among so
// many.
var troubles = []trouble{
	noTrouble, noTrouble, losesUp, noTrouble, noTrouble, isFar, noTrouble, noTrouble, jitters, noTrouble,
	noTrouble, agentSlow, noTrouble, noTrouble, noTrouble, reconnects, noTrouble, jitters, noTrouble, noTrouble,
	noTrouble, losesDown, noTrouble, staysQuiet, noTrouble, noTrouble, agentSlow, noTrouble, noTrouble, isFar,
}

// callsAnHour are those of the hours of a day (UTC): nights are quiet.
var callsAnHour = [24]int{8, 7, 6, 6, 6, 8, 10, 12, 16, 20, 22, 20, 17, 19, 22, 21, 19, 17, 15, 13, 12, 11, 10, 9}

// prices of the made-up agents, in millionths of a dollar a token.
const (
	inputAudioMicros  = 10
	outputAudioMicros = 20
	outputTextMicros  = 2
)

// usageOf is what an answer of a talk used: so many tokens a second of speech.
func usageOf(heard, spoken time.Duration) rest.Usage {
	in, out := int64(heard.Seconds()*10)+40, int64(spoken.Seconds()*20)
	text := out / 5
	return rest.Usage{
		Tokens:    rest.Tokens{InputAudio: in, OutputAudio: out, OutputText: text},
		Responses: 1, Currency: "USD",
		CostMicros: in*inputAudioMicros + out*outputAudioMicros + text*outputTextMicros,
	}
}
