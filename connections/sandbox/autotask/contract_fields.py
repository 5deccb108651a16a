"""Fields of contracts, their lines and what is billed, from the vendor's metadata of 2021 and specification of 2026.

The notation is that of `fields.parse_fields`.
"""

CONTRACT = """
id long RO
billingPreference int PL
billToCompanyContactID int >Contact
billToCompanyID int >Company
companyID int R FX >Company
contactID int >Contact
contactName str(250)
contractCategory int PL
contractExclusionSetID int >ContractExclusionSet
contractName str(100) R
contractNumber str(50)
contractPeriodType int FX PL
contractType int R FX PL
description str(2000)
endDate date R
estimatedCost double
estimatedHours double
estimatedRevenue double
exclusionContractID long RO >Contract
internalCurrencyOverageBillingRate double RO
internalCurrencySetupFee double RO
isCompliant bool
isDefaultContract bool
opportunityID int >Opportunity
organizationalLevelAssociationID int >BusinessDivisionSubdivision
overageBillingRate double
purchaseOrderNumber str(50)
renewedContractID long
serviceLevelAgreementID int PL
setupFee double
setupFeeBillingCodeID long
startDate date R
status int R PL
timeReportingRequiresStartAndStopTimes int R PL
lastModifiedDateTime datetime RO
"""

CONTRACT_SERVICE = """
id long RO
contractID int R FX >Contract
internalCurrencyAdjustedPrice double RO
internalCurrencyUnitPrice double RO
internalDescription str(100)
invoiceDescription str(1000)
quoteItemID long RO >QuoteItem
serviceID int R FX >Service
unitCost double
unitPrice double RO
"""

CONTRACT_SERVICE_ADJUSTMENT = """
id long RO NQ
adjustedUnitCost double NQ
adjustedUnitPrice double NQ
allowRepeatService bool NQ
contractID int NQ >Contract
contractServiceID int NQ >ContractService
effectiveDate date R NQ
quoteItemID int NQ >QuoteItem
serviceID int NQ >Service
unitChange int NQ
"""

CONTRACT_SERVICE_UNIT = """
id long RO
approveAndPostDate datetime RO
contractID int R RO >Contract
contractServiceID int >ContractService
cost double RO
endDate date R RO
internalCurrencyPrice double RO
organizationalLevelAssociationID int RO >BusinessDivisionSubdivision
price double RO
serviceID int R RO >Service
startDate date R RO
units int R RO
vendorCompanyID int RO >Company
"""

CONTRACT_CHARGE = """
id long RO
billableAmount double RO
billingCodeID long >BillingCode
chargeType int R PL
contractID long R FX >Contract
contractServiceBundleID long >ContractServiceBundle
contractServiceID long >ContractService
createDate datetime RO
creatorResourceID long RO >Resource
datePurchased date R
description str(2000)
extendedCost double RO
internalCurrencyBillableAmount double RO
internalCurrencyUnitPrice double RO
internalPurchaseOrderNumber str(50)
isBillableToCompany bool
isBilled bool RO
name str(100) R
notes str(2000)
organizationalLevelAssociationID int RO >BusinessDivisionSubdivision
productID long >Product
purchaseOrderNumber str(50)
status long PL
statusLastModifiedBy long RO
statusLastModifiedDate datetime RO
unitCost double
unitPrice double
unitQuantity double R
"""

CONTRACT_NOTE = """
id long RO
contractID int R FX >Contract
createDateTime datetime RO
creatorResourceID int RO >Resource
description str(8000) R
impersonatorCreatorResourceID int RO >Resource
impersonatorUpdaterResourceID int RO >Resource
lastActivityDate datetime RO
title str(250) R
"""

BILLING_ITEM = """
id long RO
accountManagerWhenApprovedID int RO >Resource
billingCodeID int RO >BillingCode
billingItemType int R RO PL
companyID int RO >Company
configurationItemID long RO >InstalledProduct
contractChargeID long RO >ContractCharge
contractID int RO >Contract
contractServiceAdjustmentID int
contractServiceBundleAdjustmentID int
contractServiceBundleID int
contractServiceBundlePeriodID int
contractServiceID int
contractServicePeriodID int
description str(2000) RO
expenseItemID int RO >ExpenseItem
extendedPrice double RO
internalCurrencyExtendedPrice double RO
internalCurrencyRate double RO
internalCurrencyTaxDollars double RO
internalCurrencyTotalAmount double RO
invoiceID int RO >Invoice
itemApproverID int RO >Resource
itemDate date RO
itemName str(255) RO
lineItemFullDescription str(8000) RO NQ
lineItemGroupDescription str(8000) RO NQ
milestoneID long RO >ContractMilestone
nonBillable int R RO
organizationalLevelAssociationID int RO >BusinessDivisionSubdivision
ourCost double RO
postedDate date RO
postedOnTime datetime RO
projectChargeID long RO >ProjectCost
projectID int RO >Project
purchaseOrderNumber str(50) RO
quantity double RO
rate double RO
roleID int RO >Role
serviceBundleID long RO >ServiceBundle
serviceID long RO >Service
sortOrderID long
subType int R RO PL
taskID int RO >Task
taxDollars double RO
ticketChargeID long RO >TicketCost
ticketID int RO >Ticket
timeEntryID int RO >TimeEntry
totalAmount double RO
vendorID long RO >Company
webServiceDate datetime
contractBlockID int
taxCategoryID int
"""
