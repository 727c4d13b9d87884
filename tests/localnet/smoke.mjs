// Aptos' TypeScript SDK against a running localnet: node smoke.mjs NODE_URL FAUCET_URL
import { Account, AccountAddress, Aptos, AptosConfig, Network } from "@aptos-labs/ts-sdk";

const [fullnode, faucet] = process.argv.slice(2);
const aptos = new Aptos(new AptosConfig({ network: Network.CUSTOM, fullnode, faucet }));
const sender = Account.generate();
const sponsor = Account.generate();
const receiver = AccountAddress.from("0x000000000000000000000000000000000000000000000000000000000000b0b5");
const options = { waitForIndexer: false };
await aptos.fundAccount({ accountAddress: sender.accountAddress, amount: 1_000_000_000, options });
await aptos.fundAccount({ accountAddress: sponsor.accountAddress, amount: 1_000_000_000, options });

const data = { function: "0x1::aptos_account::transfer", functionArguments: [receiver, 1234] };
const transaction = await aptos.transaction.build.simple({ sender: sender.accountAddress, data });
const [simulated] = await aptos.transaction.simulate.simple({ signerPublicKey: sender.publicKey, transaction });
const pending = await aptos.signAndSubmitTransaction({ signer: sender, transaction });
const committed = await aptos.waitForTransaction({ transactionHash: pending.hash });

const sponsored = await aptos.transaction.build.simple({ sender: sender.accountAddress, data, withFeePayer: true });
const senderAuthenticator = aptos.transaction.sign({ signer: sender, transaction: sponsored });
const feePayerAuthenticator = aptos.transaction.signAsFeePayer({ signer: sponsor, transaction: sponsored });
const paid = await aptos.transaction.submit.simple({
  transaction: sponsored,
  senderAuthenticator,
  feePayerAuthenticator,
});
const settled = await aptos.waitForTransaction({ transactionHash: paid.hash });

const [balance] = await aptos.view({
  payload: {
    function: "0x1::coin::balance",
    typeArguments: ["0x1::aptos_coin::AptosCoin"],
    functionArguments: [receiver],
  },
});
const resource = await aptos.getAccountResource({
  accountAddress: sender.accountAddress,
  resourceType: "0x1::account::Account",
});
console.log(
  JSON.stringify({
    simulated: simulated.success,
    committed: committed.success,
    sponsored: settled.success,
    balance,
    sequence: resource.sequence_number,
    chainId: await aptos.getChainId(),
  }),
);
