// Renders the cases of this folder with Go's text/template and sprig, as aws-node-termination-handler does, and
// writes expected.json: the measure of src/template.
//
//	go run . DATA.json CASES.txt > EXPECTED.json 2> WHY_IT_FAILS
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
)

// The fields that a webhook's template sees, and one for everything that JSON knows.
type data struct {
	EventID, Kind, Monitor, Description, State, AutoScalingGroupName, NodeName string
	NodeLabels                                                                 map[string]string
	Pods                                                                       []string
	InstanceID, ProviderID, InstanceType                                       string
	IsManaged                                                                  bool
	StartTime, EndTime                                                         time.Time
	NodeProcessed, InProgress                                                  bool
	AccountId, AvailabilityZone, Region                                        string
	Any                                                                        any
}

type answer struct {
	Text  string `json:"text"`
	Fails bool   `json:"fails,omitempty"` // when it is parsed, or when it is executed
}

// An int where JSON has a whole number, as a literal in a template would be.
func plain(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plain(v[key])
		}
	}
	return value
}

func render(text string, with *data) (out answer) {
	made, err := template.New("case").Funcs(sprig.TxtFuncMap()).Parse(text)
	if err == nil {
		var buffer bytes.Buffer
		err = made.Execute(&buffer, *with)
		out.Text = buffer.String()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return answer{Fails: true}
	}
	return out
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The sets of data, anew for each template: sprig's sortAlpha sorts the data themselves.
func decoded(raw []byte) map[string]*data {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	sets := map[string]*data{}
	must(decoder.Decode(&sets))
	for _, set := range sets {
		set.Any = plain(set.Any)
	}
	return sets
}

func main() {
	raw, err := os.ReadFile(os.Args[1])
	must(err)
	cases, err := os.ReadFile(os.Args[2])
	must(err)
	type result struct {
		Template string            `json:"template"`
		Answers  map[string]answer `json:"answers"`
	}
	results := []result{}
	for _, line := range strings.Split(string(cases), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		line = strings.ReplaceAll(line, "¶", "\n")
		answers := map[string]answer{}
		for name, set := range decoded(raw) {
			answers[name] = render(line, set)
		}
		results = append(results, result{line, answers})
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	must(encoder.Encode(map[string]any{"cases": results}))
}
