package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"parley/server/agent"
	"parley/server/agent/config"
	"parley/server/agent/upstream"
)

// environment has what the example asks for.
func environment(name string) string {
	return map[string]string{"OPENAI_API_KEY": "sk-example", "HOOK_SECRET": "0123456789abcdef", "SIDEBAND_TOKEN": "a-token-of-at-least-32-characters-x", "EMPTY": " "}[name]
}

// loader returns a loader of a file with a text.
func loader(t *testing.T, text string) (*config.Loader, *agent.Registry, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agents.yaml")
	write(t, path, text)
	registry := agent.NewRegistry()
	return config.NewLoader(config.LoaderConfig{
		File: path, Getenv: environment, Builtin: agent.Builtin(nil), Registry: registry, Hangups: upstream.NewHangups(nil, nil),
	}), registry, path
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func example(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("agents.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The example can be used as it is.
func TestTheExampleLoads(t *testing.T) {
	l, registry, _ := loader(t, example(t))
	if changed, err := l.Load(); err != nil || !changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	if names := strings.Join(registry.Names(), " "); names != "parrot echo support" {
		t.Errorf("agents %s", names)
	}
	if _, ok := registry.Get("support", "ann", ""); !ok {
		t.Error("ann may not call it")
	}
	if _, ok := registry.Get("support", "eve", ""); ok {
		t.Error("eve may call it")
	}
	if list := registry.List("ann", ""); list[0].Captions || !list[2].Captions {
		t.Errorf("captions of %+v", list)
	}
}

// The example has every field that there is.
func TestTheExampleHasEveryField(t *testing.T) {
	text := example(t)
	var look func(of reflect.Type)
	look = func(of reflect.Type) {
		for of.Kind() == reflect.Slice || of.Kind() == reflect.Map {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct {
			return
		}
		for i := range of.NumField() {
			f := of.Field(i)
			name := f.Tag.Get("yaml")
			if name == "" {
				t.Errorf("%s.%s has no name", of, f.Name)
			}
			if !strings.Contains(text, name+":") {
				t.Errorf("the example doesn't have %s (%s)", name, of)
			}
			look(f.Type)
		}
	}
	look(reflect.TypeFor[config.File]())
}

// one is a file of one agent that is right, with a line changed or added.
func one(change ...string) string {
	lines := []string{
		"agents:", "  - name: polly", "    title: Polly", "    dialect: openai", "    url: https://example.com/v1/realtime/calls",
		"    key_env: OPENAI_API_KEY", "    model: gpt-realtime-2.1",
	}
	for _, c := range change {
		field, _, _ := strings.Cut(strings.TrimSpace(c), ":")
		isThere := false
		for i, line := range lines {
			if strings.HasPrefix(strings.TrimLeft(line, " -"), field+":") {
				lines[i], isThere = line[:4]+c, true
			}
		}
		if !isThere {
			lines = append(lines, "    "+c)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// A wrong file is refused with file, line and field, and what to write.
func TestWrongFiles(t *testing.T) {
	for name, test := range map[string]struct {
		text, where, says string
	}{
		"no YAML":                          {"agents: [", "agents.yaml:1", ""},
		"an unknown field":                 {one("nme: x"), "agents.yaml:8: agents[0].nme", "may be about, allow,"},
		"an unknown field further in":      {one("sideband: {alow: []}"), "agents.yaml:8: agents[0].sideband.alow", "allow, token_env, token_file, words"},
		"a field twice":                    {one() + "    name: other\n", "agents.yaml:8", "already defined"},
		"words for a number":               {one("max_calls: many"), "agents.yaml:8: agents[0].max_calls", "whole number"},
		"a part of a call":                 {one("max_calls: 1.5"), "agents.yaml:8: agents[0].max_calls", "whole number"},
		"a number beyond Go's":             {one("max_calls: 9223372036854775808"), "agents.yaml:8: agents[0].max_calls", "whole number"},
		"words for a speed":                {one("speed: fast"), "agents.yaml:8: agents[0].speed", "a number"},
		"a number for yes or no":           {one("captions: 1"), "agents.yaml:8: agents[0].captions", "true or false"},
		"a duration without unit":          {one("max_duration: 5"), "agents.yaml:8: agents[0].max_duration", "like 30s"},
		"a duration in words":              {one("timeouts: {connect: soon}"), "agents.yaml:8: agents[0].timeouts.connect", "like 30s"},
		"a duration in a list":             {one("stuck: {no_media: {warn: [1s]}}"), "agents.yaml:8: agents[0].stuck.no_media.warn", "like 30s"},
		"a word for a list":                {one("sideband: {allow: response.cancel}"), "agents.yaml:8: agents[0].sideband.allow", "write a list"},
		"fields for a list":                {one("headers: {a: b}"), "agents.yaml:8: agents[0].headers", "write a list"},
		"a list in a list":                 {one("users: [[ann]]"), "agents.yaml:8: agents[0].users[0]", "write text"},
		"a list for text":                  {one("voice: [marin]"), "agents.yaml:8: agents[0].voice", "write text"},
		"a word for fields":                {one("timeouts: 5s"), "agents.yaml:8: agents[0].timeouts", "connect, exchange"},
		"a list for fields":                {one("turn_detection: [x]"), "agents.yaml:8: agents[0].turn_detection", "name: value"},
		"a word for a tool":                {one("tools: [x]"), "agents.yaml:8: agents[0].tools[0]", "max_result"},
		"a list for the whole":             {"- name: polly\n", "agents.yaml:1: ", "agents"},
		"no list of agents":                {"agents: polly\n", "agents.yaml:1: agents: ", "write a list"},
		"no name":                          {one("name: ''"), "agents.yaml:2: agents[0].name", "short name"},
		"a name with spaces":               {one("name: a b"), "agents.yaml:2: agents[0].name", "short name"},
		"a built-in's name":                {one("name: echo"), "agents.yaml:2: agents[0].name", "another agent"},
		"no title":                         {one("title: ''"), "agents.yaml:3: agents[0].title", "choose it by"},
		"no dialect":                       {one("dialect: sip"), "agents.yaml:4: agents[0].dialect", "openai, raw-sdp, json-sdp"},
		"no address":                       {one("url: here"), "agents.yaml:5: agents[0].url", "https"},
		"an address in clear":              {one("url: http://example.com/x"), "agents.yaml:5: agents[0].url", "https://"},
		"a private address":                {one("url: https://10.0.0.1/x"), "agents.yaml:5: agents[0].url", "allow_private: true"},
		"a key in the address":             {one("url: https://key@example.com/x"), "agents.yaml:5: agents[0].url", "no user"},
		"the cloud's own address":          {one("url: http://169.254.169.254/x", "allow_private: true"), "agents.yaml:5: agents[0].url", "link-local"},
		"a key that isn't there":           {one("key_env: NOTHING"), "agents.yaml:6: agents[0].key_env", "no key"},
		"an empty key":                     {one("key_env: EMPTY"), "agents.yaml:6: agents[0].key_env", "no key"},
		"a file that isn't there":          {one("key_env: ''", "key_file: nothing"), "agents.yaml:8: agents[0].key_file", "no such file"},
		"two keys":                         {one("key_file: x"), "agents.yaml:6: agents[0].key_env", "not both"},
		"a key of one's own header":        {one("headers: [{name: authorization, value: x}]"), "agents.yaml:8: agents[0].headers[0].name", "key_file"},
		"a header without value":           {one("headers: [{name: x}]"), "agents.yaml:8: agents[0].headers[0]", "value_file"},
		"no model":                         {one("model: ''"), "agents.yaml:7: agents[0].model", "gpt-realtime"},
		"two instructions":                 {one("instructions: a", "instructions_file: b"), "agents.yaml:9: agents[0].instructions_file", "not both"},
		"too fast":                         {one("speed: 3"), "agents.yaml:8: agents[0].speed", "0.25 to 1.5"},
		"a time too long":                  {one("timeouts: {connect: 2m}"), "agents.yaml:8: agents[0].timeouts.connect", "1m0s"},
		"calls below none":                 {one("max_calls: -1"), "agents.yaml:8: agents[0].max_calls", "any number"},
		"a duration below none":            {one("max_duration: -1s"), "agents.yaml:8: agents[0].max_duration", "30m"},
		"another turn detection":           {one("turn_detection: {type: mine}"), "agents.yaml:8: agents[0].turn_detection", "server_vad"},
		"an event nobody knows":            {one("allow: [everything]"), "agents.yaml:8: agents[0].allow[0]", "response.cancel"},
		"a tool without a secret":          {one("tools: [{name: x, url: 'https://example.com', parameters: {type: object}}]"), "agents.yaml:8: agents[0].tools[0]", "secret_file or secret_env"},
		"a tool in clear":                  {one("tools: [{name: x, url: 'http://example.com', parameters: {type: object}, secret_env: HOOK_SECRET}]"), "agents.yaml:8: agents[0].tools[0].url", "https"},
		"a price in words":                 {one("prices: {currency: USD, input_text: cheap}"), "agents.yaml:8: agents[0].prices.input_text", "0.40"},
		"prices of no currency":            {one("prices: {input_text: 4}"), "agents.yaml:8: agents[0].prices", "USD"},
		"a budget without prices":          {one("budgets: {call: 2}"), "agents.yaml:8: agents[0].budgets", "needs prices"},
		"a sideband without a token":       {one("sideband: {}"), "agents.yaml:8: agents[0].sideband", "token_env"},
		"a sideband's token that is short": {one("sideband: {token_env: HOOK_SECRET}"), "agents.yaml:8: agents[0].sideband", "32"},
		"a sideband's event nobody knows":  {one("sideband: {token_env: SIDEBAND_TOKEN, allow: [everything]}"), "agents.yaml:8: agents[0].sideband.allow[0]", "response.cancel"},
		"a way to be stuck":                {one("stuck: {bored: {warn: 1s, end: 2s}}"), "agents.yaml:8: agents[0].stuck.bored", "no_media"},
		"an end before the warning":        {one("stuck: {no_media: {warn: 5s, end: 2s}}"), "agents.yaml:8: agents[0].stuck.no_media", "later than it"},
		"two of one name":                  {one() + "  - name: polly\n    title: P\n    dialect: raw-sdp\n    url: https://example.com/x\n", "agents.yaml:8: agents[1].name", "another agent"},
	} {
		t.Run(name, func(t *testing.T) {
			l, registry, _ := loader(t, test.text)
			_, err := l.Load()
			var fault *config.Fault
			if !errors.As(err, &fault) {
				t.Fatalf("%v", err)
			}
			if said := err.Error(); !strings.Contains(said, test.where) || !strings.Contains(said, test.says) || strings.Contains(said, "\n") {
				t.Errorf("says %q, want %q and %q", said, test.where, test.says)
			}
			if strings.Contains(err.Error(), "sk-example") {
				t.Error("the fault has the key")
			}
			if len(registry.Names()) != 0 {
				t.Error("a wrong file is in use")
			}
		})
	}
	l, _, _ := loader(t, one())
	if _, err := l.Load(); err != nil {
		t.Errorf("the right one: %v", err)
	}
}

// What YAML lets be written in other ways is no fault of shape.
func TestMarksInAFile(t *testing.T) {
	for _, text := range []string{
		one("max_duration: &long 30m", "stuck: {no_media: {warn: *long, end: 1h}}"),
		one("voice: ~"), one("about: 3"), one("about: !!str 3"), one("speed: 1"), one("instructions: |\n      [Be kind]"),
	} {
		l, _, _ := loader(t, text)
		if _, err := l.Load(); err != nil {
			t.Errorf("%v:\n%s", err, text)
		}
	}
}

// A changed file, and a changed key in it, is taken up; one that is the same keeps its
// agents, and a wrong one leaves those before.
func TestReload(t *testing.T) {
	l, registry, path := loader(t, one("key_env: ''", "key_file: key"))
	key := filepath.Join(filepath.Dir(path), "key")
	write(t, key, "first\n")
	load := func(want bool) {
		t.Helper()
		if changed, err := l.Load(); err != nil || changed != want {
			t.Errorf("changed %v, want %v: %v", changed, want, err)
		}
	}
	load(true)
	before := l.Find("polly")
	load(false)
	if l.Find("polly") != before {
		t.Error("the same file made another agent")
	}
	write(t, key, "second\n")
	load(true)
	if l.Find("polly") == before {
		t.Error("another key made no other agent")
	}
	after := l.Find("polly")
	write(t, path, "agents: none")
	if _, err := l.Load(); err == nil {
		t.Error("a wrong file is taken")
	}
	if l.Find("polly") != after || len(registry.Names()) != 3 {
		t.Error("a wrong file changed something")
	}
	write(t, path, "agents: []")
	load(true)
	if len(registry.Names()) != 2 {
		t.Error("an agent that was taken out is still there")
	}
}

// Without a file, a key in the environment is an agent, where that is wanted.
func TestOpenAIByItself(t *testing.T) {
	for wanted, names := range map[bool]string{true: "parrot echo openai", false: "parrot echo"} {
		registry := agent.NewRegistry()
		l := config.NewLoader(config.LoaderConfig{
			Getenv: environment, Builtin: agent.Builtin(nil), Registry: registry, Hangups: upstream.NewHangups(nil, nil), AddOpenAI: wanted,
		})
		if _, err := l.Load(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(registry.Names(), " "); got != names {
			t.Errorf("wanted %v: agents %s", wanted, got)
		}
	}
}
