"""Who the app is to Azure: the only file that knows azure-identity."""

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import CredentialUnavailableError, DefaultAzureCredential, ManagedIdentityCredential

from shared.errors import DeploymentError
from shared.settings import StorageAccount


def credential(account: StorageAccount) -> ManagedIdentityCredential | DefaultAzureCredential:
    """The identity that the settings of an account name: of the app in Azure, of the developer elsewhere."""
    if account.managed_identity:
        return ManagedIdentityCredential(client_id=account.client_id)
    return DefaultAzureCredential(managed_identity_client_id=account.client_id)


def got_no_token(error: AzureError) -> bool:
    """Whether it was the identity that failed: then no service has answered."""
    if isinstance(error, CredentialUnavailableError):
        return True
    return isinstance(error, ClientAuthenticationError) and error.response is None


def without_token(account: StorageAccount) -> DeploymentError:
    return DeploymentError(
        "identity_unavailable",
        f"The identity that {account.setting} names gets no token from Azure.",
        f"In Azure, assign the app its managed identity and put the client ID of it into {account.setting}__clientId; "
        "on your own machine, sign in: az login.",
        field=f"{account.setting}__clientId",
    )
