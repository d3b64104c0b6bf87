// The elements and attributes of a domain definition that are known to be harmless to the host.
#pragma once

#include <string_view>

namespace cohort::hypervisor {

// An outline: each line is an element below the one that is indented less, then its attributes. docs/security.md: why.
//   a|b           several elements alike
//   attr          an attribute whose value may be anything plain: no '/', no control characters, 256 bytes at most
//   attr=x|y      one of these values; '' is the empty one
//   attr:rule     what that rule allows (configuration_check.cc): any, firmware, emulator
//   #  #=x|y  #:rule   the text of the element, likewise; without it there must be none
//   +device       the children listed under "device" at the end, too
//   \             goes on in the next line
//   ...           anything below, and any attribute: inert, or replaced by definition_for_import
inline constexpr std::string_view kAllowedConfiguration = R"(
domain type=kvm|qemu id
  name|uuid|genid #
  title|description #:any
  metadata|seclabel ...
  memory|currentMemory|maxMemory unit slots dumpCore #
  vcpu placement cpuset current #
  vcpus
    vcpu id enabled hotpluggable order
  iothreads #
  iothreadids
    iothread id thread_pool_min thread_pool_max
  defaultiothread thread_pool_min thread_pool_max
  memoryBacking
    hugepages
      page size unit nodeset
    nosharepages|locked|discard
    source type=file|anonymous|memfd
    access mode=shared|private
    allocation mode=immediate|ondemand threads
  memtune
    hard_limit|soft_limit|swap_hard_limit|min_guarantee unit #
  blkiotune
    weight #
  cputune
    shares|period|quota|global_period|global_quota|emulator_period|emulator_quota|iothread_period|iothread_quota #
    vcpupin|emulatorpin|iothreadpin vcpu iothread cpuset
    vcpusched|iothreadsched|emulatorsched vcpus iothreads scheduler priority
    cachetune vcpus id
      cache id level type size unit
      monitor level vcpus
    memorytune vcpus
      node id bandwidth
      monitor vcpus
  numatune
    memory mode nodeset placement
    memnode cellid mode nodeset
  resource
    partition #:any
    fibrechannel appid
  os firmware=efi|bios
    type arch machine #=hvm
    firmware
      feature name enabled
    loader readonly secure type=rom|pflash stateless format #:firmware
    nvram type=file template:firmware format templateFormat #:any
      source ...
    boot dev
    bootmenu enable timeout
    bios useserial rebootTimeout
    smbios mode=emulate|sysinfo|host
  sysinfo type=smbios
    bios|system|baseBoard|chassis
      entry name #:any
    oemStrings
      entry #:any
  features
    acpi|pae|privnet
    apic eoi
    hap|viridian|pvspinlock|pmu|vmport|vmcoreinfo|htm|nested-hv|ccf-assist|async-teardown|ras|ps2 state
    gic version
    smm state
      tseg unit #
    ioapic driver
    hpt resizing
      maxpagesize unit #
    msrs unknown
    cfpc|sbbc|ibs value
    tcg
      tb-cache unit #
    kvm
      hidden|hint-dedicated|poll-control|pv-ipi state
      dirty-ring state size
    hyperv mode
      relaxed|vapic|vpindex|runtime|synic|reset|frequencies|reenlightenment|ipi|evmcs|avic state
      emsr_bitmap|xmm_input state
      tlbflush state
        direct|extended state
      spinlocks state retries
      stimer state
        direct state
      vendor_id state value:any
  cpu mode match check migratable deprecated_features
    model fallback vendor_id #
    vendor #
    topology sockets dies clusters cores threads
    feature policy name
    cache level mode
    maxphysaddr mode bits limit
    numa
      cell id cpus memory unit memAccess discard
        distances ...
        cache level associativity policy
          size|line value unit
      interconnects ...
  clock offset adjustment basis timezone:any start
    timer name track tickpolicy frequency mode present
      catchup threshold slew limit
  on_poweroff|on_reboot|on_crash|on_lockfailure #=destroy|restart|preserve|rename-restart|poweroff|pause|ignore
  pm
    suspend-to-mem|suspend-to-disk enabled
  perf
    event name enabled
  devices
    emulator #:emulator
    disk type device=disk|cdrom|floppy|lun snapshot model rawio sgio +device
      source|backingStore|mirror|auth|encryption ...
      driver name=qemu type cache io error_policy rerror_policy discard detect_zeroes ioeventfd event_idx \
          copy_on_read iothread queues queue_size packed ats iommu page_per_vq discard_no_unref
        metadata_cache ...
      target dev bus tray removable rotation_rate
      readonly|shareable
      transient shareBacking
      serial|wwn|vendor|product #:any
      geometry cyls heads secs trans
      blockio logical_block_size physical_block_size discard_granularity
      iotune
        total_bytes_sec|read_bytes_sec|write_bytes_sec|total_iops_sec|read_iops_sec|write_iops_sec|size_iops_sec #
        total_bytes_sec_max|read_bytes_sec_max|write_bytes_sec_max|total_iops_sec_max|read_iops_sec_max #
        total_bytes_sec_max_length|read_bytes_sec_max_length|write_bytes_sec_max_length|total_iops_sec_max_length #
        read_iops_sec_max_length|write_iops_sec_max_length|write_iops_sec_max|group_name #
    controller type index model ports vectors maxGrantFrames maxEventChannels +device
      driver queues cmd_per_lun max_sectors ioeventfd iothread iommu ats packed page_per_vq
      model name
      target chassisNr chassis port busNr index hotplug memReserve
        node #
      pcihole64 unit #
      master startport
    interface type=network|bridge|user|udp|mcast|server|client|null trustGuestRxFilters +device
      source network portgroup portid bridge dev address port
        local address port
      mac address type check
      target dev managed
      model type
      driver name queues rx_queue_size tx_queue_size txmode ioeventfd event_idx iommu ats packed page_per_vq rss \
          rss_hash_report
        host csum gso tso4 tso6 ecn ufo mrg_rxbuf
        guest csum tso4 tso6 ecn ufo
      backend type=default|passt tap=/dev/net/tun vhost=/dev/vhost-net
      link state
      mtu size
      coalesce ...
      virtualport type=openvswitch
        parameters interfaceid profileid
      filterref filter
        parameter name value
      bandwidth
        inbound|outbound average peak burst floor
      vlan trunk nativeMode
        tag id nativeMode
      tune
        sndbuf #
      ip address family prefix peer
      route family address netmask prefix gateway metric
      port isolated
      teaming type=persistent
    serial|parallel|console|channel type=pty|file|null|unix|spicevmc|spiceport|qemu-vdagent tty:any +device
      source path:any append mode=bind channel:any
        seclabel ...
        clipboard copypaste
        mouse mode
      log file:any append
      protocol type=raw
      target type name port state
        model name
    input type=mouse|tablet|keyboard bus model +virtio +device
    tpm model +device
      backend type=emulator version persistent_state
        encryption secret
        active_pcr_banks
          sha1|sha256|sha384|sha512
    graphics type=vnc|spice port autoport tlsPort websocket listen socket:any passwd:any passwdValidTo connected \
        keymap sharePolicy defaultMode powerControl
      listen type=address|network|socket|none address network socket:any
      channel name mode
      image|jpeg|zlib|playback compression
      streaming|mouse mode
      clipboard copypaste
      filetransfer enable
      gl enable=no
      audio id
    audio id type=none|spice timerPeriod
      input|output mixingEngine fixedSettings voices bufferLength
        settings frequency channels format
    sound model multichannel streams +device
      codec type
      audio id
    video +device
      driver name=qemu iommu ats packed page_per_vq vgaconf
      model type ram vram vram64 vgamem heads primary blob edid
        acceleration accel2d accel3d
        resolution x y
    hub type=usb +device
    redirdev bus=usb type=spicevmc +device
    redirfilter
      usbdev class vendor product version allow
    smartcard mode=passthrough type=spicevmc +device
    memballoon model autodeflate freePageReporting +virtio +device
      stats period
    rng model +virtio +device
      rate period bytes
      backend model=random|builtin #=''|/dev/urandom|/dev/random
    panic model +device
    watchdog model action=reset|shutdown|poweroff|pause|none|inject-nmi +device
    memory model=dimm|virtio-mem access discard dynamicMemslots +device
      uuid #
      source
        pagesize unit #
        nodemask #
      target dynamicMemslots
        size|block|requested|current unit #
        node #
        address base
    iommu model +device
      driver intremap caching_mode eim iotlb aw_bits dma_translation
    vsock model +virtio +device
      cid auto address
    crypto model type=qemu +virtio +device
      backend model=builtin queues
    nvram +device
device
  alias name
  boot order loadparm
  acpi index
  rom bar enabled
  address type=pci|drive|virtio-serial|ccid|usb|spapr-vio|ccw|virtio-mmio|isa|dimm|unassigned domain bus slot \
      function multifunction controller unit target iobase irq port reg cssid ssid devno base
    zpci uid fid
virtio
  driver iommu ats packed page_per_vq
)";

}  // namespace cohort::hypervisor
