//! Addresses of networks and of their hardware: texts, and the bytes that the server takes.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Checked, Wrong};

const NO_ADDRESS: Wrong = Wrong("this is no address of a network");
const NO_HARDWARE: Wrong = Wrong("this is no hardware address");

/// What the server calls the families of addresses, on any machine.
const VERSION_4: u8 = 2;
const VERSION_6: u8 = 3;

/// Appends the binary form of an inet or cidr: family, bits, whether it is a cidr, and the address with its length.
pub(super) fn push_text(out: &mut Vec<u8>, text: &[u8], cidr: bool) -> Checked<()> {
    let text = str::from_utf8(text).map_err(|_| NO_ADDRESS)?;
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| NO_ADDRESS)?)),
        None => (text, None),
    };
    if let Ok(address) = address.parse::<Ipv4Addr>() {
        push(out, VERSION_4, bits.unwrap_or(32), cidr, &address.octets())
    } else {
        let address = address.parse::<Ipv6Addr>().map_err(|_| NO_ADDRESS)?;
        push(out, VERSION_6, bits.unwrap_or(128), cidr, &address.octets())
    }
}

fn push(out: &mut Vec<u8>, family: u8, bits: u8, cidr: bool, address: &[u8]) -> Checked<()> {
    let length = u8::try_from(address.len()).map_err(|_| NO_ADDRESS)?;
    if u16::from(bits) > u16::from(length) * 8 {
        return Err(NO_ADDRESS);
    }
    out.extend_from_slice(&[family, bits, u8::from(cidr), length]);
    out.extend_from_slice(address);
    Ok(())
}

/// Appends the bytes of a hardware address: as many pairs of hexadecimal digits, parted by colons.
pub(super) fn push_hardware(out: &mut Vec<u8>, text: &[u8], bytes: usize) -> Checked<()> {
    let text = str::from_utf8(text).map_err(|_| NO_HARDWARE)?;
    let mut count = 0;
    for pair in text.split(':') {
        let is_pair = pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
        let byte = u8::from_str_radix(pair, 16).ok().filter(|_| is_pair);
        out.push(byte.ok_or(NO_HARDWARE)?);
        count += 1;
    }
    if count == bytes { Ok(()) } else { Err(NO_HARDWARE) }
}
