package main

import (
	"time"

	"github.com/juju/gomaasapi"
)

// juju does what Juju does with a model's machine: find one, mark it, give a container on it a device, deploy
// it and let go. Between the deployment and its end it prints a line and waits for one.
func juju(controller gomaasapi.Controller, wish map[string]string, next func(told)) told {
	out := told{}
	_, _, err := controller.AllocateMachine(gomaasapi.AllocateMachineArgs{MinMemory: 99999999})
	out["too_much"] = gomaasapi.IsNoMatchError(err)
	machine, matches, err := controller.AllocateMachine(gomaasapi.AllocateMachineArgs{
		MinCPUCount: 2,
		MinMemory:   512,
		Storage:     []gomaasapi.StorageSpec{{Label: "root", Size: 1}},
		Interfaces:  []gomaasapi.InterfaceSpec{{Label: "0", Space: wish["space"]}},
		AgentName:   wish["agent"],
	})
	check(err)
	out["given"] = see(machine)
	out["state"] = machine.StatusName()
	out["matches"] = told{
		"interface": matches.Interfaces["0"][0].Name(),
		"storage":   matches.Storage["root"][0].Size(),
	}
	check(machine.SetOwnerData(map[string]string{"juju-model": "m", "unset": ""}))
	found, err := controller.Machines(gomaasapi.MachinesArgs{
		AgentName: wish["agent"],
		OwnerData: map[string]string{"juju-model": "m"},
	})
	check(err)
	out["found"] = len(found)
	out["container"] = container(machine, wish["mac"])
	out["link"] = link(machine.InterfaceSet()[0], wish["ip"])
	err = machine.Start(gomaasapi.StartArgs{DistroSeries: "moon", UserData: wish["user_data"]})
	out["wrong_series"] = err != nil
	check(machine.Start(gomaasapi.StartArgs{DistroSeries: wish["series"], UserData: wish["user_data"]}))
	next(told{"state": machine.StatusName(), "hostname": machine.Hostname()})
	machine = await(controller, machine.SystemID(), "Deployed")
	out["deployed"] = told{
		"system": machine.OperatingSystem(),
		"series": machine.DistroSeries(),
		"power":  machine.PowerState(),
		"images": images(controller),
	}
	check(controller.ReleaseMachines(gomaasapi.ReleaseMachinesArgs{SystemIDs: []string{machine.SystemID()}}))
	found, err = controller.Machines(gomaasapi.MachinesArgs{AgentName: wish["agent"]})
	check(err)
	out["left"] = len(found)
	return out
}

// await polls a machine until it is in a state.
func await(controller gomaasapi.Controller, systemID string, state string) gomaasapi.Machine {
	for until := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		found, err := controller.Machines(gomaasapi.MachinesArgs{SystemIDs: []string{systemID}})
		check(err)
		if len(found) == 1 && found[0].StatusName() == state {
			return found[0]
		}
		if time.Now().After(until) {
			fail("%s does not become %s", systemID, state)
		}
	}
}

// images gives the names and architectures of the images.
func images(controller gomaasapi.Controller) []string {
	found, err := controller.BootResources()
	check(err)
	names := []string{}
	for _, image := range found {
		names = append(names, image.Name()+" "+image.Architecture())
	}
	return names
}

// container gives a container an address, and takes it away.
func container(machine gomaasapi.Machine, mac string) told {
	subnet := machine.InterfaceSet()[0].Links()[0].Subnet()
	device, err := machine.CreateDevice(gomaasapi.CreateMachineDeviceArgs{
		Hostname:      "container",
		InterfaceName: "eth0",
		MACAddress:    mac,
		Subnet:        subnet,
		VLAN:          subnet.VLAN(),
	})
	check(err)
	own, err := machine.Devices(gomaasapi.DevicesArgs{Hostname: []string{"container"}})
	check(err)
	its := device.InterfaceSet()[0]
	out := told{
		"devices": len(own),
		"parent":  device.Parent() == machine.SystemID(),
		"nic":     its.Name(),
		"mac":     its.MACAddress(),
		"ips":     own[0].IPAddresses(),
		"vid":     its.VLAN().VID(),
	}
	check(device.Delete())
	own, err = machine.Devices(gomaasapi.DevicesArgs{})
	check(err)
	out["left"] = len(own)
	return out
}

// link gives a NIC a second address, and takes its first one.
func link(nic gomaasapi.Interface, ip string) told {
	subnet := nic.Links()[0].Subnet()
	first := nic.Links()[0].IPAddress()
	check(nic.LinkSubnet(gomaasapi.LinkSubnetArgs{
		Mode:      gomaasapi.LinkModeStatic,
		Subnet:    subnet,
		IPAddress: ip,
	}))
	out := told{"two": []string{nic.Links()[0].IPAddress(), nic.Links()[1].IPAddress()}, "first": first}
	check(nic.UnlinkSubnet(subnet))
	out["one"] = nic.Links()[0].IPAddress()
	return out
}
