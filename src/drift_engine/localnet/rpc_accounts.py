"""RPC methods that read accounts."""

from typing import Any

from solders.pubkey import Pubkey

from drift_engine.localnet import rpc_params as given
from drift_engine.localnet import tokens
from drift_engine.localnet.encoding import account_json, filter_of
from drift_engine.localnet.node import Method, Node, in_context
from drift_engine.localnet.rpc_errors import bad_params

MAX_ACCOUNTS = 100
OWNER_OFFSET = 32


def get_account_info(node: Node, params: list[Any]) -> Any:
    """Answer ``getAccountInfo``."""
    address, config = given.pubkey(given.needed(params, 0, str)), given.settings(params, 1)
    block = node.block(config)
    read = node.reader(block)
    account = read(address)
    return in_context(block, account_json(account, config, read) if account else None)


def get_multiple_accounts(node: Node, params: list[Any]) -> Any:
    """Answer ``getMultipleAccounts``: up to 100."""
    addresses, config = given.needed(params, 0, list), given.settings(params, 1)
    if len(addresses) > MAX_ACCOUNTS:
        raise bad_params(f"Too many inputs provided; max {MAX_ACCOUNTS}")
    keys = [given.pubkey(address) for address in addresses]
    block = node.block(config)
    read = node.reader(block)
    found = [read(key) for key in keys]
    config = {"encoding": "base64", **config}
    return in_context(block, [account_json(account, config, read) if account else None for account in found])


def get_program_accounts(node: Node, params: list[Any]) -> Any:
    """Answer ``getProgramAccounts``."""
    owner, config = given.pubkey(given.needed(params, 0, str)), given.settings(params, 1)
    passes, block = filter_of(config), node.block(config)
    read = node.reader(block)
    found = [
        {"pubkey": str(address), "account": account_json(account, config, read)}
        for address, account in node.accounts_of(owner, block).items()
        if passes(account)
    ]
    return in_context(block, found) if config.get("withContext") else found


def get_balance(node: Node, params: list[Any]) -> Any:
    """Answer ``getBalance``, in lamports."""
    address, block = given.pubkey(given.needed(params, 0, str)), node.block(given.settings(params, 1))
    account = node.reader(block)(address)
    return in_context(block, account.lamports if account else 0)


def get_minimum_balance(node: Node, params: list[Any]) -> Any:
    """Answer ``getMinimumBalanceForRentExemption``, in lamports."""
    return node.chain.bank.rent(given.needed(params, 0, int))


def get_token_account_balance(node: Node, params: list[Any]) -> Any:
    """Answer ``getTokenAccountBalance``."""
    address, block = given.pubkey(given.needed(params, 0, str)), node.block(given.settings(params, 1))
    read = node.reader(block)
    account = read(address)
    if account is None:
        raise bad_params("Invalid param: could not find account")
    shown = tokens.balance(account, read)
    if shown is None:
        raise bad_params("Invalid param: not a Token account")
    return in_context(block, shown["uiTokenAmount"])


def get_token_accounts_by_owner(node: Node, params: list[Any]) -> Any:
    """Answer ``getTokenAccountsByOwner``, by mint or by token program."""
    owner, wanted = given.pubkey(given.needed(params, 0, str)), given.needed(params, 1, dict)
    config = given.settings(params, 2)
    mint = _mint_wanted(wanted)
    block = node.block(config)
    read = node.reader(block)
    held = ((key, account) for key, account in node.accounts_of(tokens.TOKEN_PROGRAM, block).items())
    found = [
        {"pubkey": str(key), "account": account_json(account, config, read)}
        for key, account in held
        if len(account.data) == tokens.ACCOUNT_BYTES
        and account.data[OWNER_OFFSET : OWNER_OFFSET + 32] == bytes(owner)
        and (mint is None or account.data[:32] == bytes(mint))
    ]
    return in_context(block, found)


def _mint_wanted(wanted: dict[str, Any]) -> Pubkey | None:
    if "mint" in wanted:
        return given.pubkey(wanted["mint"])
    if "programId" not in wanted:
        raise bad_params("Invalid params: the filter is an object with mint or programId.")
    if given.pubkey(wanted["programId"]) != tokens.TOKEN_PROGRAM:
        raise bad_params("Invalid param: unrecognized Token program id")
    return None


METHODS: dict[str, Method] = {
    "getAccountInfo": get_account_info,
    "getBalance": get_balance,
    "getMinimumBalanceForRentExemption": get_minimum_balance,
    "getMultipleAccounts": get_multiple_accounts,
    "getProgramAccounts": get_program_accounts,
    "getTokenAccountBalance": get_token_account_balance,
    "getTokenAccountsByOwner": get_token_accounts_by_owner,
}
