// What a user of gomaasapi does: `story URL KEY`, told what to make by a line of JSON on its standard input.
//
// It prints a line of JSON when all is made and ready, waits for a line, takes everything apart, and prints
// what is left. MAAS's clients of this kind (Juju, Terraform) read machines with the strict schemas of
// version 2.0, and have no methods for VM hosts: those go through the library's untyped objects.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/juju/gomaasapi"
)

const patience = 60 * time.Second

// Wish is what the test wants made.
type Wish struct {
	Host     map[string]string   `json:"host"`
	Changes  map[string]string   `json:"changes"`
	Machines []map[string]string `json:"machines"`
	// Juju is what a model asks for, in place of a host.
	Juju map[string]string `json:"juju"`
}

// Nic is a NIC as the strict schema reads it.
type Nic struct {
	Name  string   `json:"name"`
	Mac   string   `json:"mac"`
	Vid   int      `json:"vid"`
	Modes []string `json:"modes"`
	Cidrs []string `json:"cidrs"`
	Ips   []string `json:"ips"`
}

// Seen is a machine as the strict schema reads it.
type Seen struct {
	SystemID string   `json:"system_id"`
	Hostname string   `json:"hostname"`
	Power    string   `json:"power"`
	Memory   int      `json:"memory"`
	Cores    int      `json:"cores"`
	Zone     string   `json:"zone"`
	Pool     string   `json:"pool"`
	Ips      []string `json:"ips"`
	Boot     string   `json:"boot"`
	Nics     []Nic    `json:"nics"`
	Disks    []uint64 `json:"disks"`
	States   []string `json:"states"`
}

type told map[string]interface{}

func main() {
	address, key := os.Args[1], os.Args[2]
	lines := bufio.NewScanner(os.Stdin)
	lines.Scan()
	var wish Wish
	check(json.Unmarshal(lines.Bytes(), &wish))

	controller, err := gomaasapi.NewController(gomaasapi.ControllerArgs{BaseURL: address, APIKey: key})
	check(err)
	client, err := gomaasapi.NewAuthenticatedClient(gomaasapi.AddAPIVersionToURL(address, "2.0"), key)
	check(err)
	root := gomaasapi.NewMAAS(*client)

	out := told{}
	look(controller, root, out)
	if wish.Juju != nil {
		out["juju"] = juju(controller, wish.Juju, func(line told) {
			print(line)
			lines.Scan()
		})
		print(out)
		return
	}
	host := makeHost(root, wish, out)
	machines := []Seen{}
	for _, each := range wish.Machines {
		machines = append(machines, compose(controller, host, each))
	}
	out["machines"] = machines
	print(out)

	lines.Scan()
	print(takeApart(controller, client, root, host, machines))
}

// look reads what every start of Juju reads.
func look(controller gomaasapi.Controller, root *gomaasapi.MAASObject, out told) {
	version, _, err := controller.APIVersionInfo()
	check(err)
	out["version"] = version
	out["capabilities"] = controller.Capabilities().SortedValues()
	me, err := root.GetSubObject("users").CallGet("whoami", url.Values{})
	check(err)
	out["whoami"] = text(fields(me), "username")

	fabrics, err := controller.Fabrics()
	check(err)
	vlans := map[string][]int{}
	for _, each := range fabrics {
		vlans[each.Name()] = []int{}
		for _, vlan := range each.VLANs() {
			vlans[each.Name()] = append(vlans[each.Name()], vlan.VID())
		}
	}
	out["fabrics"] = vlans

	spaces, err := controller.Spaces()
	check(err)
	subnets := map[string][]string{}
	for _, each := range spaces {
		subnets[each.Name()] = []string{}
		for _, subnet := range each.Subnets() {
			subnets[each.Name()] = append(subnets[each.Name()], subnet.CIDR())
		}
	}
	out["spaces"] = subnets

	zones, err := controller.Zones()
	check(err)
	domains, err := controller.Domains()
	check(err)
	names := told{"zones": []string{}, "domains": []string{}, "pools": list(root, "resourcepools", "name")}
	for _, each := range zones {
		names["zones"] = append(names["zones"].([]string), each.Name())
	}
	for _, each := range domains {
		names["domains"] = append(names["domains"].([]string), each.Name())
	}
	out["groups"] = names
	out["subnets"] = list(root, "subnets", "cidr")

	tags, err := controller.Tags()
	check(err)
	routes, err := controller.StaticRoutes()
	check(err)
	devices, err := controller.Devices(gomaasapi.DevicesArgs{})
	check(err)
	images, err := controller.BootResources()
	check(err)
	out["counts"] = []int{len(tags), len(routes), len(devices), len(images)}
}

// makeHost adds a VM host, changes it as Terraform does, and reads it anew.
func makeHost(root *gomaasapi.MAASObject, wish Wish, out told) gomaasapi.MAASObject {
	made, err := root.GetSubObject("pods").Post(values(wish.Host))
	check(err)
	host, err := made.GetMAASObject()
	check(err)
	_, err = host.Update(url.Values{"default_macvlan_mode": {"sideways"}})
	out["wrong_mode"] = refused(err)
	_, err = host.Update(values(wish.Changes))
	check(err)
	_, err = host.CallPost("refresh", url.Values{})
	check(err)
	host, err = host.Get()
	check(err)
	own := host.GetMap()
	out["host"] = told{
		"name":                     text(own, "name"),
		"type":                     text(own, "type"),
		"default_macvlan_mode":     text(own, "default_macvlan_mode"),
		"cpu_over_commit_ratio":    number(own, "cpu_over_commit_ratio"),
		"memory_over_commit_ratio": number(own, "memory_over_commit_ratio"),
	}
	return host
}

// compose makes a machine, and watches it until it is ready.
func compose(controller gomaasapi.Controller, host gomaasapi.MAASObject, wanted map[string]string) Seen {
	answer, err := host.CallPost("compose", values(wanted))
	check(err)
	systemID := text(fields(answer), "system_id")
	states := []string{}
	for until := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		found, err := controller.Machines(gomaasapi.MachinesArgs{SystemIDs: []string{systemID}})
		check(err)
		if len(found) != 1 {
			fail("%d machines of id %s", len(found), systemID)
		}
		state := found[0].StatusName()
		if len(states) == 0 || states[len(states)-1] != state {
			states = append(states, state)
		}
		if state == "Ready" {
			seen := see(found[0])
			seen.States = states
			return seen
		}
		if time.Now().After(until) {
			fail("%s is %s", wanted["hostname"], state)
		}
	}
}

func see(machine gomaasapi.Machine) Seen {
	seen := Seen{
		SystemID: machine.SystemID(),
		Hostname: machine.Hostname(),
		Power:    machine.PowerState(),
		Memory:   machine.Memory(),
		Cores:    machine.CPUCount(),
		Zone:     machine.Zone().Name(),
		Pool:     machine.Pool().Name(),
		Ips:      machine.IPAddresses(),
		Nics:     []Nic{},
		Disks:    []uint64{},
	}
	for _, each := range machine.InterfaceSet() {
		if machine.Interface(each.ID()) == nil {
			fail("NIC %s is not found by its id %d", each.Name(), each.ID())
		}
		nic := Nic{each.Name(), each.MACAddress(), -1, []string{}, []string{}, []string{}}
		if vlan := each.VLAN(); vlan != nil {
			nic.Vid = vlan.VID()
		}
		for _, link := range each.Links() {
			nic.Modes = append(nic.Modes, link.Mode())
			nic.Ips = append(nic.Ips, link.IPAddress())
			if subnet := link.Subnet(); subnet != nil {
				nic.Cidrs = append(nic.Cidrs, subnet.CIDR())
			}
		}
		seen.Nics = append(seen.Nics, nic)
	}
	if boot := machine.BootInterface(); boot != nil {
		seen.Boot = boot.Name()
	}
	for _, each := range machine.BlockDevices() {
		seen.Disks = append(seen.Disks, each.Size())
	}
	return seen
}

// takeApart deletes all but the last machine; that goes with its host.
func takeApart(
	controller gomaasapi.Controller,
	client *gomaasapi.Client,
	root *gomaasapi.MAASObject,
	host gomaasapi.MAASObject,
	machines []Seen,
) told {
	out := told{"refused": refused(host.Delete())}
	for _, each := range machines[:len(machines)-1] {
		check(root.GetSubObject("machines").GetSubObject(each.SystemID).Delete())
	}
	address := host.URI()
	address.RawQuery = "decompose=true"
	check(client.Delete(address))
	names := []string{}
	for _, each := range machines {
		names = append(names, each.Hostname)
	}
	left, err := controller.Machines(gomaasapi.MachinesArgs{Hostnames: names})
	check(err)
	out["machines"] = len(left)
	_, err = host.Get()
	out["host"] = refused(err)
	return out
}

func values(given map[string]string) url.Values {
	found := url.Values{}
	for name, value := range given {
		found.Set(name, value)
	}
	return found
}

func fields(object gomaasapi.JSONObject) map[string]gomaasapi.JSONObject {
	found, err := object.GetMap()
	check(err)
	return found
}

func text(own map[string]gomaasapi.JSONObject, name string) string {
	found, err := own[name].GetString()
	check(err)
	return found
}

func number(own map[string]gomaasapi.JSONObject, name string) float64 {
	found, err := own[name].GetFloat64()
	check(err)
	return found
}

// list gives one field of each thing of a collection, sorted.
func list(root *gomaasapi.MAASObject, path string, name string) []string {
	answer, err := root.GetSubObject(path).CallGet("", url.Values{})
	check(err)
	found, err := answer.GetArray()
	check(err)
	names := []string{}
	for _, each := range found {
		names = append(names, text(fields(each), name))
	}
	sort.Strings(names)
	return names
}

// refused gives the status and the words of an answer that must be an error.
func refused(err error) told {
	server, ok := gomaasapi.GetServerError(err)
	if !ok {
		fail("this was not refused by the server: %v", err)
	}
	return told{"status": server.StatusCode, "words": server.BodyMessage}
}

func print(found told) {
	line, err := json.Marshal(found)
	check(err)
	fmt.Println(string(line))
}

func check(err error) {
	if err != nil {
		fail("%+v", err)
	}
}

func fail(words string, given ...interface{}) {
	fmt.Fprintln(os.Stderr, strings.TrimSpace(fmt.Sprintf(words, given...)))
	os.Exit(1)
}
