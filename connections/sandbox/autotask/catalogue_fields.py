"""Fields of companies and of the catalogue, from the vendor's metadata of 2021 and specification of 2026.

The notation is that of `fields.parse_fields`.
"""

COMPANY = """
id long RO
additionalAddressInformation str(100)
address1 str(128)
address2 str(128)
alternatePhone1 str(25)
alternatePhone2 str(25)
apiVendorID int RO PL
assetValue double NQ
billToCompanyLocationID int >AccountPhysicalLocation
billToAdditionalAddressInformation str(100) RO
billingAddress1 str(150) RO
billingAddress2 str(150) RO
billToAddressToUse int RO PL
billToAttention str(50)
billToCity str(50) RO
billToCountryID int RO >Country
billToState str(128) RO
billToZipCode str(50) RO
city str(30)
classification int PL
companyCategoryID int
companyName str(100) R
companyNumber str(50)
companyType int R PL
competitorID int PL
countryID int >Country
createDate datetime RO
createdByResourceID int RO >Resource
currencyID int FX >Currency
fax str(25)
impersonatorCreatorResourceID int RO >Resource
invoiceEmailMessageID int
invoiceMethod int PL
invoiceNonContractItemsToParentCompany bool
invoiceTemplateID int >InvoiceTemplate
isActive bool
isClientPortalActive bool RO
isEnabledForComanaged bool
isSample bool
isTaskFireActive bool RO
isTaxExempt bool
lastActivityDate datetime RO
lastTrackedModifiedDateTime datetime RO
marketSegmentID int PL
ownerResourceID int R >Resource
parentCompanyID int >Company
phone str(25) R
postalCode str(10)
purchaseOrderTemplateID int PL
quoteEmailMessageID int
quoteTemplateID int >QuoteTemplate
sicCode str(32) NQ
state str(40)
stockMarket str(10) NQ
stockSymbol str(10) NQ
surveyCompanyRating double RO
taxID str(50)
taxRegionID int >TaxRegion
territoryID int PL
webAddress str(255)
"""

RESOURCE = """
id long RO
email str(254) R
firstName str(50) R
isActive bool R
lastName str(50) R
resourceType str(50) RO
userName str(32) R
"""

CURRENCY = """
id long RO
currencyNegativeFormat str(10) R RO
currencyPositiveFormat str(10) R RO
description str(100) R RO
displaySymbol int R RO PL
exchangeRate double R
isActive bool R RO
isInternalCurrency bool R RO
lastModifiedDateTime datetime
name str(3) R RO
updateResourceId int RO >Resource
"""

SERVICE = """
id long RO
billingCodeID int R >BillingCode
createDate datetime RO
creatorResourceID int RO >Resource
description str(400)
invoiceDescription str(1000)
isActive bool
lastModifiedDate datetime RO
markupRate double RO
name str(150) R
periodType int R PL
serviceLevelAgreementID long PL
unitCost double
unitPrice double R
updateResourceID int RO >Resource
vendorCompanyID int >Company
catalogNumberPartNumber str(50)
externalID str(50)
internalID str(50)
manufacturerServiceProvider str(100)
manufacturerServiceProviderProductNumber str(50)
sku str(50)
url str(500)
"""

PRODUCT = """
id long RO
billingType int RO PL
chargeBillingCodeID int >BillingCode
defaultVendorID int >Company
description str(2000)
doesNotRequireProcurement bool
externalProductID str(50)
impersonatorCreatorResourceID int RO >Resource
internalProductID str(50)
isActive bool R
isEligibleForRma bool
isSerialized bool R
link str(500)
manufacturerName str(100)
manufacturerProductName str(50)
markupRate double RO
msrp double
name str(100) R
periodType int PL
priceCostMethod int RO PL
productBillingCodeID int R >BillingCode
productCategory int PL
sku str(50)
unitCost double
unitPrice double
vendorProductNumber str(50)
defaultInstalledProductCategoryID int >InstalledProductCategory
"""

BILLING_CODE = """
id long RO
afterHoursWorkType int >BillingCode
billingCodeType int PL
department int
description str(500)
externalNumber str(100)
generalLedgerAccount int PL
isActive bool R
isExcludedFromNewContracts bool
markupRate double RO
name str(200)
taxCategoryID int >TaxCategory
unitCost double R
unitPrice double R
useType int PL
"""
